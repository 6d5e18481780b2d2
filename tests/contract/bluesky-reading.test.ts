import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { connector } from "../../shared/connectors/bluesky/index.ts";
import { aPart, aStage, publish, type Stage } from "../support/bluesky.ts";

let stage: Stage;

beforeEach(async () => {
  stage = await aStage();
});

afterEach(() => stage.simulator.close());

test("reads counts of 25 posts at once and leaves out what is deleted", async () => {
  const call = await stage.aChannel();
  const ids: string[] = [];
  for (let count = 0; count < 25; count += 1) {
    ids.push((await publish(aPart({ text: `Post ${count}` }), call)).remoteId);
  }
  const [first = "", second = ""] = ids;
  stage.simulator.engage(first, { likes: 3, replies: 0, reposts: 1, quotes: 2, bookmarks: 4 });
  await connector.remove(second, call);

  const found = await connector.readEngagement(ids, call);

  expect(found.get(first)).toEqual({ likes: 3, replies: 0, reposts: 1, quotes: 2, bookmarks: 4 });
  expect(found.has(second)).toBe(false);
  expect(found.size).toBe(24);
  await expect(connector.readEngagement([...ids, first], call)).rejects.toMatchObject({
    platformCode: "InvalidRequest",
  });
});

test("leaves out a count that the platform does not report", async () => {
  const call = await stage.aChannel();
  const { remoteId } = await publish(aPart({ text: "Counted" }), call);
  stage.simulator.engage(remoteId, { likes: 3, replies: 2 });
  stage.simulator.fault("metrics_partial", 1);

  const found = await connector.readEngagement([remoteId], call);

  expect(found.get(remoteId)).toEqual({ replies: 2 });
});

test("removes a post, and again without complaint", async () => {
  const call = await stage.aChannel();
  const { remoteId } = await publish(aPart({ text: "Gone soon" }), call);

  await connector.remove(remoteId, call);
  await connector.remove(remoteId, call);

  expect(stage.simulator.posts().map(({ removed }) => removed)).toEqual([true]);
});

test("does not call another account's post removed", async () => {
  const call = await stage.aChannel();
  const other = await stage.aChannel({ name: "other" });
  const { remoteId } = await publish(aPart({ text: "Theirs" }), other);

  await expect(connector.remove(remoteId, call)).rejects.toMatchObject({ kind: "permission" });
});
