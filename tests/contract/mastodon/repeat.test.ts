import { afterEach, describe, expect, test } from "@jest/globals";
import { connector } from "../../../shared/connectors/mastodon/index.ts";
import { MINUTE_MS, aPart, aStage, noon, publish } from "./stage.ts";

const { started, close } = aStage();

afterEach(close);

describe("the same key", () => {
  test("brings back the first post within the hour", async () => {
    const { simulator, call } = await started();

    const first = await publish(aPart(), call);
    const second = await publish(aPart(), call);

    expect(second).toEqual(first);
    expect(simulator.posts()).toHaveLength(1);
  });

  test("makes a second post after the hour, so nothing is repeated past 55 minutes", async () => {
    let now = noon;
    const { simulator, call } = await started({ now: () => now });
    await publish(aPart(), call);
    const { repeatableForMs } = connector.capabilities.idempotency;

    now = new Date(noon.getTime() + repeatableForMs);
    await publish(aPart(), call);
    expect(simulator.posts()).toHaveLength(1);

    now = new Date(noon.getTime() + 61 * MINUTE_MS);
    await publish(aPart(), call);
    expect(simulator.posts()).toHaveLength(2);
  });

  test("brings back the old post for a new text, so new content needs a new key", async () => {
    const { simulator, call } = await started();

    await publish(aPart({ text: "old" }), call);
    await publish(aPart({ text: "new" }), call);
    await publish(aPart({ text: "new", idempotencyKey: "b".repeat(64) }), call);

    expect(simulator.posts().map((post) => post.text)).toEqual(["old", "new"]);
  });

  test("in parallel makes duplicates where the server checks too late", async () => {
    const { simulator, call } = await started({ idempotency: "checked_late", latencyMs: 50 });

    await Promise.all([1, 2, 3, 4].map(() => connector.commit(aPart(), { media: [] }, call)));
    expect(simulator.posts()).toHaveLength(4);

    await connector.commit(aPart(), { media: [] }, call);
    expect(simulator.posts()).toHaveLength(4);
  });
});
