import { afterEach, describe, expect, test } from "@jest/globals";
import { connector } from "../../../shared/connectors/mastodon/index.ts";
import { MINUTE_MS, aPart, aStage, anImage, failure, noon, publish } from "./stage.ts";

const { started, close } = aStage();

afterEach(close);

describe("publishing", () => {
  test("publishes text, four images with alt text, and a thread", async () => {
    const { simulator, call } = await started();
    const media = ["one", "two", "three", "four"].map((altText) => anImage(altText));

    const root = await publish(aPart({ media }), call);
    const second = await publish(aPart({ text: "2/3", thread: { root, parent: root } }), call);
    await publish(aPart({ text: "3/3", thread: { root, parent: second } }), call);

    expect(simulator.posts()).toMatchObject([
      { altTexts: ["one", "two", "three", "four"], parent: null },
      { text: "2/3", parent: root.remoteId },
      { text: "3/3", parent: second.remoteId },
    ]);
    expect(root.permalink).toBe(`${simulator.url}/@heart/${root.remoteId}`);
    expect(root.publishedAt).toEqual(noon);
  });

  test("keeps every digit of an id that is too long for a number", async () => {
    const { simulator, call } = await started();

    const { remoteId } = await publish(aPart(), call);

    expect(String(Number(remoteId))).not.toBe(remoteId);
    expect(simulator.posts()[0]?.remoteId).toBe(remoteId);
  });

  test("waits until an upload that was answered 202 is ready", async () => {
    const { simulator, call } = await started();
    simulator.fault("upload_processing", 1);

    await publish(aPart({ media: [anImage("slow")] }), call);

    expect(simulator.posts()).toMatchObject([{ altTexts: ["slow"] }]);
  });

  test("stops waiting for an upload when its time is up", async () => {
    const { simulator, call } = await started();
    simulator.fault("upload_processing", 1);
    const abort = new AbortController();
    const impatient: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (response.status !== 206) return response;
      abort.abort();
      return new Response("{}", { status: 206, headers: { "retry-after": "600" } });
    };

    const waiting = connector.prepare(aPart({ media: [anImage("slow")] }), null, {
      ...call,
      fetch: impatient,
      signal: abort.signal,
    });

    expect((await failure(waiting)).kind).toBe("unavailable");
  });

  test("uses an upload again, and makes a new one where the server forgot it", async () => {
    const { simulator, call } = await started();
    const part = aPart({ media: [anImage("kept")] });
    const first = await connector.prepare(part, null, call);

    const second = await connector.prepare(part, first, call);
    simulator.forgetUploads();
    const third = await connector.prepare(part, second, call);

    expect(second).toEqual(first);
    expect(third).not.toEqual(first);
  });

  test("takes a refusal over a forgotten upload for one that a new upload heals", async () => {
    const { simulator, call } = await started();
    const part = aPart({ media: [anImage("late")] });
    const prepared = await connector.prepare(part, null, call);
    simulator.forgetUploads();

    const error = await failure(connector.commit(part, prepared, call));
    await connector.commit(part, await connector.prepare(part, prepared, call), call);

    expect(error.kind).toBe("unavailable");
    expect(simulator.posts()).toHaveLength(1);
  });

  test("takes a refusal over the text for one, with images or without", async () => {
    const { call } = await started({ maxCharacters: 20 });
    const text = "This is longer than twenty characters.";

    const bare = await failure(publish(aPart({ text }), call));
    const illustrated = await failure(publish(aPart({ text, media: [anImage("x")] }), call));

    expect([bare.kind, illustrated.kind]).toEqual(["content_rejected", "content_rejected"]);
    expect(bare.platformMessage).not.toContain("longer than");
  });

  test("calls a file that is no image invalid, whatever its label", async () => {
    const { call } = await started();
    const liar = { ...anImage("x"), contentType: "image/jpeg" };

    const error = await failure(connector.prepare(aPart({ media: [liar] }), null, call));

    expect(error.kind).toBe("media_invalid");
  });

  test("calls a reply to a post that is gone what it is", async () => {
    const { call } = await started();
    const root = await publish(aPart(), call);
    await connector.remove?.(root.remoteId, call);

    const error = await failure(publish(aPart({ thread: { root, parent: root } }), call));

    expect(error.kind).toBe("gone");
  });

  test("reads the end of a rate limit as the instant that Mastodon gives", async () => {
    const { simulator, call } = await started();
    simulator.fault("commit_rate_limited", 1);

    const error = await failure(publish(aPart(), call));

    expect(error.kind).toBe("rate_limited");
    expect(error.until).toEqual(new Date(noon.getTime() + 5 * MINUTE_MS));
  });

  test("meets the real limits of a server that counts", async () => {
    const { call } = await started({ enforceRateLimits: true });
    for (let sent = 0; sent < 30; sent += 1) await connector.remove?.("1", call);

    const error = await failure(connector.remove?.("1", call));

    expect(error).toMatchObject({ kind: "rate_limited", until: new Date("2027-02-05T12:30:00Z") });
  });

  test("sends nothing on a signal that has ended, so nothing is unknown", async () => {
    const { simulator, call } = await started();

    const sent = connector.commit(aPart(), { media: [] }, { ...call, signal: AbortSignal.abort() });

    expect((await failure(sent)).kind).toBe("unavailable");
    expect(simulator.posts()).toEqual([]);
  });

  test("reads a proxy's pages as what they are", async () => {
    const { simulator, call } = await started({ errorPages: "html" });
    simulator.expireTokens("heart");

    const error = await failure(publish(aPart(), call));

    expect(error).toMatchObject({ kind: "reauthorize", platformMessage: null });
  });
});

describe("removing", () => {
  test("takes a post away, and does not mind doing it twice", async () => {
    const { simulator, call } = await started();
    const { remoteId } = await publish(aPart(), call);

    await connector.remove?.(remoteId, call);
    await connector.remove?.(remoteId, call);

    expect(simulator.posts()).toMatchObject([{ remoteId, removed: true }]);
  });

  test("does not believe a proxy that the post is gone", async () => {
    const { call } = await started({ errorPages: "html" });

    const removing = connector.remove?.("1", call);

    expect((await failure(removing)).kind).toBe("unavailable");
  });
});
