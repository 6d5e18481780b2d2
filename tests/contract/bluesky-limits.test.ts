import { expect, test } from "@jest/globals";
import type { ObservedLimit } from "../../shared/connectors/connector.ts";
import { connector } from "../../shared/connectors/bluesky/index.ts";
import { aPart, aStage, publish } from "../support/bluesky.ts";

test("tells how many posts are left, as if each cost the points of a creation", async () => {
  const stage = await aStage();
  const limits: ObservedLimit[] = [];
  const call = {
    ...(await stage.aChannel()),
    observeLimit: (limit: ObservedLimit) => limits.push(limit),
  };

  await publish(aPart({}), call);
  await stage.simulator.close();

  // 5000 points an hour, and the write has cost two of them.
  const until = new Date(stage.now().getTime() + 3_600_000);
  expect(limits).toEqual([{ scope: "channel", remaining: Math.floor(4_998 / 3), until }]);
});

test("knows an account by its own server, and before the first sign-in by its service", () => {
  const given = { identifier: "heart.example", appPassword: "p" };
  const session = {
    did: "did:plc:1",
    handle: "heart.example",
    accessJwt: "a",
    refreshJwt: "r",
    pds: "https://morel.example",
    expiresAt: "2027-02-05T15:00:00Z",
  };

  expect(connector.hostOf({ ...given, session }, {})).toBe("morel.example");
  expect(connector.hostOf(given, {})).toBe("bsky.social");
});
