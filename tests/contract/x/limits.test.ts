import { expect, test } from "@jest/globals";
import type { ObservedLimit } from "../../../shared/connectors/connector.ts";
import { DAY_MS, aPart, failure, MINUTE_MS, publish, useX } from "../../support/x.ts";

const stage = useX();

async function observed() {
  const limits: ObservedLimit[] = [];
  const call = {
    ...(await stage.connected()),
    observeLimit: (limit: ObservedLimit) => limits.push(limit),
  };
  return { limits, call };
}

const inMs = (ms: number) => new Date(stage.now().getTime() + ms);

test("tells what is left of the account's window after every post", async () => {
  stage.x.enforceRateLimits();
  const { limits, call } = await observed();

  await publish(call, aPart({ text: "One" }));
  await publish(call, aPart({ text: "Two" }));

  const until = inMs(15 * MINUTE_MS);
  expect(limits).toEqual([
    { scope: "channel", remaining: 99, until },
    { scope: "channel", remaining: 98, until },
  ]);
});

test("tells of the app's quota, which is all channels' own", async () => {
  stage.x.trap("app_quota_spent", 1);
  const { limits, call } = await observed();

  await publish(call, aPart());

  expect(limits).toContainEqual({ scope: "app", remaining: 0, until: inMs(DAY_MS) });
});

test("tells of a refusal's limits, too", async () => {
  stage.x.trap("day_quota", 1);
  const { limits, call } = await observed();

  await failure(publish(call, aPart()));

  expect(limits).toContainEqual({ scope: "channel", remaining: 0, until: inMs(DAY_MS) });
});
