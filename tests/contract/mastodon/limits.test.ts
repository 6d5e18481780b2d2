import { afterEach, expect, test } from "@jest/globals";
import type { ObservedLimit } from "../../../shared/connectors/connector.ts";
import { connector } from "../../../shared/connectors/mastodon/index.ts";
import { aPart, aStage, publish } from "./stage.ts";

const stage = aStage();
afterEach(() => stage.close());

test("tells what the server says is left", async () => {
  const { call } = await stage.started({ enforceRateLimits: true });
  const limits: ObservedLimit[] = [];

  await publish(aPart(), { ...call, observeLimit: (limit) => limits.push(limit) });

  const until = new Date("2027-02-05T15:00:00Z");
  expect(limits).toEqual([{ scope: "channel", remaining: 299, until }]);
});

test("tells nothing where the server says nothing", async () => {
  const { call } = await stage.started({ rateHeaders: false });
  const limits: ObservedLimit[] = [];

  await publish(aPart(), { ...call, observeLimit: (limit) => limits.push(limit) });

  expect(limits).toEqual([]);
});

test("knows its server by the host alone", () => {
  const hostOf = (server: string) => connector.hostOf?.({ server, accessToken: "t" }, {});

  expect(hostOf("mastodon.example")).toBe("mastodon.example");
  expect(hostOf("https://Social.Example/")).toBe("social.example");
});
