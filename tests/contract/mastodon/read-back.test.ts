import { afterEach, describe, expect, test } from "@jest/globals";
import type { MastodonCall } from "../../../shared/connectors/mastodon/access.ts";
import { connector } from "../../../shared/connectors/mastodon/index.ts";
import { addressOf, aStage, publishMany } from "./stage.ts";

const { started, close } = aStage();

afterEach(close);

describe("reading back", () => {
  /** How the server shows the posts, and which requests that took. */
  async function read(ids: readonly string[], call: MastodonCall, texts: readonly string[]) {
    const requests: string[] = [];
    const counting: typeof fetch = (input, init) => {
      requests.push(addressOf(input));
      return fetch(input, init);
    };
    const parts = ids.map((remoteId, index) => ({ remoteId, text: texts[index] ?? "" }));
    const shown = await connector.readBack?.(parts, { ...call, fetch: counting });
    return { sameTexts: ids.map((id) => shown?.get(id)?.hasSameText), requests };
  }

  const textsOf = (simulator: { posts(): readonly { text: string }[] }) =>
    simulator.posts().map(({ text }) => text);

  test("of twenty posts as they were sent is one request", async () => {
    const { simulator, call } = await started();
    const ids = await publishMany(20, call);

    const { sameTexts, requests } = await read(ids, call, textsOf(simulator));

    expect(sameTexts).toEqual(ids.map(() => true));
    expect(requests).toHaveLength(1);
  });

  test("asks for the source of a post that looks another way before it calls it changed", async () => {
    const { simulator, call } = await started();
    const ids = await publishMany(3, call);
    const [one = "", , three = ""] = textsOf(simulator);

    const { sameTexts, requests } = await read(ids, call, [one, "Never sent", three]);

    expect(sameTexts).toEqual([true, false, true]);
    expect(requests.map((address) => address.endsWith("/source"))).toEqual([false, true]);
  });

  test("works on a server without batches", async () => {
    const { simulator, call } = await started({ version: 4.2, errorPages: "html" });
    const ids = await publishMany(3, call);
    await connector.remove?.(ids[2] ?? "", call);

    const { sameTexts } = await read(ids, call, textsOf(simulator));

    expect(sameTexts).toEqual([true, true, undefined]);
  });

  test("does not judge a text whose source an old server does not tell", async () => {
    const { call } = await started({ version: 3.4 });
    const ids = await publishMany(1, call);

    const { sameTexts } = await read(ids, call, ["Never sent"]);

    expect(sameTexts).toEqual([null]);
  });
});
