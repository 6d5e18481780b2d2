import { describe, expect, test } from "@jest/globals";
import { connector } from "../../../shared/connectors/x/index.ts";
import { DAY_MS, MINUTE_MS, aPart, failure, publish, useX } from "../../support/x.ts";

const stage = useX();

describe("publishing", () => {
  test("puts out the text, with the time of its id and an address", async () => {
    const published = await publish(await stage.connected(), aPart());

    expect(stage.x.posts()).toMatchObject([{ remoteId: published.remoteId, text: aPart().text }]);
    expect(published.permalink).toBe(`https://x.com/heart/status/${published.remoteId}`);
    expect(published.publishedAt).toEqual(stage.now());
  });

  test("counts a text as the platform does, to the last character", async () => {
    const call = await stage.connected();
    const full = `${"a".repeat(251)} https://example.org/a/long/path 🫱🏻‍🫲🏿`;

    expect(connector.measure(full, connector.capabilities)).toBe(278);
    await publish(call, aPart({ text: `${full}aa` }));
    const error = await failure(publish(call, aPart({ text: `${full}aaa` })));
    expect(error.kind).toBe("content_rejected");
  });

  test("sends a thread in order, each part answering the one before", async () => {
    const call = await stage.connected();
    const root = await publish(call, aPart({ text: "One" }));
    const second = await publish(call, aPart({ text: "Two", thread: { root, parent: root } }));
    await publish(call, aPart({ text: "Three", thread: { root, parent: second } }));

    expect(stage.x.posts().map(({ parent }) => parent)).toEqual([
      null,
      root.remoteId,
      second.remoteId,
    ]);
  });

  test("tries later when the part before is not visible yet, and gives up when it is old", async () => {
    const call = await stage.connected();
    const root = await publish(call, aPart({ text: "One" }));
    const next = aPart({ text: "Two", thread: { root, parent: root } });
    stage.x.trap("parent_lags", 2);

    expect((await failure(publish(call, next))).kind).toBe("unavailable");
    expect(stage.x.posts()).toHaveLength(1);
    stage.later(10 * MINUTE_MS);
    expect((await failure(publish(call, next))).kind).toBe("gone");
  });

  test("the same text again is a duplicate, also after the first was removed", async () => {
    const call = await stage.connected();
    const { remoteId } = await publish(call, aPart());
    await connector.remove?.(remoteId, call);

    const error = await failure(publish(call, aPart()));

    expect(error.kind).toBe("duplicate");
    expect(error.platformMessage).toContain("duplicate content");
  });

  test.each([
    ["credits_depleted", "billing"],
    ["reply_gate", "policy_blocked"],
    ["firewall", "unavailable"],
    ["cut_off_after_success", "unknown_outcome"],
    ["garbled_after_success", "unknown_outcome"],
  ] as const)("meets %s as %s", async (trap, kind) => {
    const call = await stage.connected();
    stage.x.trap(trap, 1);

    expect((await failure(publish(call, aPart()))).kind).toBe(kind);
  });

  test("waits for the day's quota and not for the quarter-hour's", async () => {
    const call = await stage.connected();
    stage.x.trap("day_quota", 1);

    expect(await failure(publish(call, aPart()))).toMatchObject({
      kind: "quota_exhausted",
      until: new Date(stage.now().getTime() + DAY_MS),
    });
  });

  test("is stopped by the platform's window and told its end", async () => {
    stage.x.enforceRateLimits();
    const call = await stage.connected();
    for (let index = 0; index < 100; index++) await publish(call, aPart({ text: `Tip ${index}` }));

    expect(await failure(publish(call, aPart()))).toMatchObject({
      kind: "rate_limited",
      until: new Date(stage.now().getTime() + 15 * MINUTE_MS),
    });
    stage.later(15 * MINUTE_MS);
    await publish(call, aPart());
    expect(stage.x.posts()).toHaveLength(101);
  });
});

test("removing twice is no error", async () => {
  const call = await stage.connected();
  const { remoteId } = await publish(call, aPart());

  await connector.remove?.(remoteId, call);
  await connector.remove?.(remoteId, call);

  expect(stage.x.posts()).toMatchObject([{ removed: true }]);
});
