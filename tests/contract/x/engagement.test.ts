import { describe, expect, test } from "@jest/globals";
import { connector } from "../../../shared/connectors/x/index.ts";
import { DAY_MS, aPart, publish, useX, type XCall } from "../../support/x.ts";

const stage = useX();

describe("engagement", () => {
  async function read(ids: readonly string[], call: XCall) {
    if (!connector.readEngagement) throw new Error("There is no engagement");
    return connector.readEngagement(ids, call);
  }

  test("comes with clicks for a month and without them afterwards", async () => {
    const old = await publish(await stage.connected(), aPart({ text: "Old" }));
    stage.later(31 * DAY_MS);
    const call = await stage.connected();
    const young = await publish(call, aPart({ text: "Young" }));
    const earned = { impressions: 900, likes: 3, replies: 1, reposts: 2, quotes: 0, bookmarks: 4 };
    const clicks = { linkClicks: 12, profileClicks: 0 };
    stage.x.engage(old.remoteId, { ...earned, ...clicks });
    stage.x.engage(young.remoteId, { ...earned, ...clicks });

    const found = await read([old.remoteId, young.remoteId], call);

    expect(found.get(old.remoteId)).toEqual(earned);
    expect(found.get(young.remoteId)).toEqual({ ...earned, ...clicks });
    expect(stage.x.requests().filter((request) => request === "GET /2/tweets")).toHaveLength(2);
  });

  test("of a hundred posts is one request, and a missing post is absent", async () => {
    const call = await stage.connected();
    const ids: string[] = [];
    for (let index = 0; index < 100; index++) {
      ids.push((await publish(call, aPart({ text: `Tip ${index}` }))).remoteId);
    }
    const [removed = ""] = ids;
    await connector.remove?.(removed, call);

    const found = await read(ids, call);

    expect(found.size).toBe(99);
    expect(found.has(removed)).toBe(false);
    expect(stage.x.requests().filter((request) => request === "GET /2/tweets")).toHaveLength(1);
  });

  test("that the platform leaves out is absent and not 0", async () => {
    const call = await stage.connected();
    const { remoteId } = await publish(call, aPart());
    stage.x.engage(remoteId, { likes: 3, replies: 2, impressions: 50, linkClicks: 5 });
    stage.x.fault("metrics_partial", 1);

    expect((await read([remoteId], call)).get(remoteId)).toEqual({ likes: 3, reposts: 0 });
  });

  test("of only missing posts, or of ids that cannot be X's, is empty", async () => {
    const call = await stage.connected();

    expect((await read(["1541815603606036480"], call)).size).toBe(0);
    expect((await read(["not-an-id"], call)).size).toBe(0);
  });
});
