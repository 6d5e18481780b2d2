import { afterEach, describe, expect, test } from "@jest/globals";
import { connector } from "../../../shared/connectors/mastodon/index.ts";
import type { OutgoingPart, PublishedPart } from "../../../shared/connectors/connector.ts";
import type { MastodonSimulator } from "../../../shared/connectors/mastodon/simulator.ts";
import { MINUTE_MS, aPart, aStage, addressOf, anImage, failure, noon, publish } from "./stage.ts";

const { started, close } = aStage();

afterEach(close);

describe("reconciling", () => {
  const texts = [
    "Know your numbers.\n\n\nAsk @cdc@health.example & read https://www.nih.gov/heart?a=1&b=2 <today> #HeartMonth",
    '"Quotes", it\'s 5 < 6 & 7 > 6',
    "https://example.com/heart_(organ) and https://example.com/heart_(organ)",
    "Cafe\u0301 au lait: 0 mg\nof cholesterol 👩🏽‍⚕️",
  ];

  test.each(texts)("finds %j although it comes back as HTML", async (text) => {
    for (const version of [4.5, 3.4]) {
      const { simulator, call } = await started({ version });
      await publish(aPart({ text: "Something else", idempotencyKey: "c".repeat(64) }), call);
      const part = aPart({ text: text.normalize("NFC"), media: [anImage("chart")] });
      const prepared = await connector.prepare(part, null, call);
      simulator.fault("commit_reset_after_success", 1);
      expect((await failure(connector.commit(part, prepared, call))).kind).toBe("unknown_outcome");

      const found = await connector.reconcile(part, { armedAt: noon, prepared }, call);

      expect(found?.remoteId).toBe(simulator.posts()[1]?.remoteId);
    }
  });

  test.each<[string, Partial<OutgoingPart>]>([
    ["another text", { text: "Know your number." }],
    ["other white space", { text: "Know  your numbers." }],
    ["another number of images", { media: [anImage("chart")] }],
    ["another parent", { thread: threadBelow("1") }],
  ])("does not adopt a post with %s", async (_name, difference) => {
    const { call } = await started();
    await publish(aPart({ text: "Know your numbers." }), call);

    const part = aPart({ text: "Know your numbers.", ...difference });
    const lost = { armedAt: noon, prepared: { media: [] } };

    expect(await connector.reconcile(part, lost, call)).toBeNull();
  });

  test("finds a reply by its parent", async () => {
    const { simulator, call } = await started();
    const root = await publish(aPart({ text: "same" }), call);
    const part = aPart({
      text: "same",
      thread: { root, parent: root },
      idempotencyKey: "d".repeat(64),
    });
    simulator.fault("commit_html_after_success", 1);
    expect((await failure(publish(part, call))).kind).toBe("unknown_outcome");

    const found = await connector.reconcile(part, lostAt(noon), call);

    expect(found?.remoteId).toBe(simulator.posts()[1]?.remoteId);
  });

  test("tells two posts without text apart by their uploads", async () => {
    const { simulator, call } = await started();
    const part = aPart({ text: "", media: [anImage("first")] });
    await publish(part, call);
    const other = { ...part, idempotencyKey: "e".repeat(64) };
    const prepared = await connector.prepare(other, null, call);

    expect(await connector.reconcile(other, { armedAt: noon, prepared }, call)).toBeNull();

    await connector.commit(other, prepared, call);
    const found = await connector.reconcile(other, { armedAt: noon, prepared }, call);
    expect(found?.remoteId).toBe(simulator.posts()[1]?.remoteId);
  });

  test("does not adopt a post from before the attempt, but allows for a slow clock", async () => {
    const { call } = await started();
    await publish(aPart(), call);
    const late = new Date(noon.getTime() + 2 * MINUTE_MS + 1);
    const near = new Date(noon.getTime() + 2 * MINUTE_MS);

    expect(await connector.reconcile(aPart(), lostAt(late), call)).toBeNull();
    expect(await connector.reconcile(aPart(), lostAt(near), call)).not.toBeNull();
  });

  test("looks through more than one page", async () => {
    const { simulator, call } = await started();
    await publish(aPart({ text: "the one" }), call);
    for (let sent = 0; sent < 45; sent += 1) {
      await publish(
        aPart({ text: `later ${sent}`, idempotencyKey: String(sent).padEnd(64, "f") }),
        call,
      );
    }

    const found = await connector.reconcile(aPart({ text: "the one" }), lostAt(noon), call);

    expect(found?.remoteId).toBe(simulator.posts()[0]?.remoteId);
  });

  test("finds nothing while the server's list lags, and the post afterwards", async () => {
    const { simulator, call } = await started();
    await publish(aPart(), call);
    simulator.fault("read_lags", 1);

    expect(await connector.reconcile(aPart(), lostAt(noon), call)).toBeNull();
    expect(await connector.reconcile(aPart(), lostAt(noon), call)).not.toBeNull();
  });

  test.each(["json", "html"] as const)("says so when it cannot look (%s)", async (errorPages) => {
    const { simulator, call } = await started({ errorPages });
    await publish(aPart(), call);

    // The first page, the empty one after it, and the source of the candidate.
    for (const failing of [1, 2, 3]) {
      const flaky = failingAt(failing, simulator);
      const error = await failure(
        connector.reconcile(aPart(), lostAt(noon), { ...call, fetch: flaky }),
      );
      expect(error.kind).toBe("unavailable");
    }
  });
});

function threadBelow(remoteId: string): { root: PublishedPart; parent: PublishedPart } {
  const root = { remoteId, permalink: null, publishedAt: null, reference: null };
  return { root, parent: root };
}

function lostAt(armedAt: Date) {
  return { armedAt, prepared: { media: [] } };
}

/** Lets the first reads of own posts through and breaks the next one. */
function failingAt(read: number, simulator: MastodonSimulator): typeof fetch {
  let reads = 0;
  return (input, init) => {
    if (/\/statuses|\/source/.test(addressOf(input))) reads += 1;
    simulator.fault("read_unavailable", reads === read ? 1 : 0);
    return fetch(input, init);
  };
}
