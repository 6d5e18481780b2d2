import { describe, expect, test } from "@jest/globals";
import type { OutgoingPart } from "../../../shared/connectors/connector.ts";
import { connector } from "../../../shared/connectors/x/index.ts";
import { MINUTE_MS, aPart, anImage, failure, publish, useX, type XCall } from "../../support/x.ts";

const stage = useX();

describe("reconciling", () => {
  async function lose(call: XCall, part: OutgoingPart) {
    const prepared = await connector.prepare(part, null, call);
    const attempt = { armedAt: stage.now(), prepared };
    stage.x.fault("commit_reset_after_success", 1);
    await failure(connector.commit(part, prepared, call));
    return attempt;
  }

  test("finds a post behind short links, entities and the link of its image", async () => {
    const call = await stage.connected();
    const text =
      "Salt & pressure <2 g> https://example.org/salt?a=1&b=2 or example.com\n\nCafé 日本";
    const part = aPart({ text, media: [anImage("a", "Salt"), anImage("b", "Pepper")] });

    const attempt = await lose(call, part);

    const found = await connector.reconcile(part, attempt, call);
    expect(found?.remoteId).toBe(stage.x.posts()[0]?.remoteId);
    expect(found?.publishedAt).toEqual(stage.x.posts()[0]?.at);
  });

  test("finds the answer among the parts of a thread by its parent", async () => {
    const call = await stage.connected();
    const root = await publish(call, aPart({ text: "One" }));
    const part = aPart({ text: "Two", thread: { root, parent: root } });
    const attempt = await lose(call, part);

    expect((await connector.reconcile(part, attempt, call))?.remoteId).toBe(
      stage.x.posts()[1]?.remoteId,
    );
    expect(await connector.reconcile({ ...part, thread: null }, attempt, call)).toBeNull();
  });

  test("does not take another text, another number of images or an older post for it", async () => {
    const call = await stage.connected();
    const attempt = await lose(call, aPart());

    const others = [
      aPart({ text: "Know your numbers: cholesterol" }),
      aPart({ media: [anImage("a")] }),
    ];
    for (const other of others) expect(await connector.reconcile(other, attempt, call)).toBeNull();
    const armedAt = new Date(stage.now().getTime() + 3 * MINUTE_MS);
    stage.x.trap("start_time_ignored", 1);
    expect(await connector.reconcile(aPart(), { ...attempt, armedAt }, call)).toBeNull();
  });

  test("looks through all pages of a busy account", async () => {
    const call = await stage.connected();
    const attempt = await lose(call, aPart());
    for (let index = 0; index < 120; index++) await publish(call, aPart({ text: `Tip ${index}` }));

    expect((await connector.reconcile(aPart(), attempt, call))?.remoteId).toBe(
      stage.x.posts()[0]?.remoteId,
    );
  });

  test("does not find what the platform does not show yet, and finds it afterwards", async () => {
    const call = await stage.connected();
    const attempt = await lose(call, aPart());
    stage.x.fault("read_lags", 1);

    expect(await connector.reconcile(aPart(), attempt, call)).toBeNull();
    expect(await connector.reconcile(aPart(), attempt, call)).not.toBeNull();
  });

  test("cannot tell while the platform cannot be read", async () => {
    const call = await stage.connected();
    const attempt = await lose(call, aPart());
    stage.x.fault("read_unavailable", 1);

    expect((await failure(connector.reconcile(aPart(), attempt, call))).kind).toBe("unavailable");
  });

  test("works for a channel that never learned its own id", async () => {
    const call = stage.callOf();
    const attempt = await lose(call, aPart());

    expect((await connector.reconcile(aPart(), attempt, call))?.permalink).toContain(
      "https://x.com/i/status/",
    );
  });
});
