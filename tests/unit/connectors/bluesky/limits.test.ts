import { expect, test } from "@jest/globals";
import { limiter } from "../../../../shared/connectors/bluesky/simulator/limits.ts";

const HOUR_MS = 3_600_000;

test("refuses what is over an hour's points and accepts it in the next hour", () => {
  let now = new Date("2027-02-05T15:00:00Z");
  const limits = [
    { points: 5000, perMs: HOUR_MS },
    { points: 35_000, perMs: 24 * HOUR_MS },
  ];
  const take = limiter(limits, () => now);
  for (let write = 0; write < 2499; write += 1) take("did:plc:a", 2);

  expect(take("did:plc:a", 2)).toMatchObject({
    "ratelimit-remaining": "0",
    "ratelimit-policy": "5000;w=3600",
  });
  expect(() => take("did:plc:a", 2)).toThrow("Rate Limit Exceeded");
  expect(take("did:plc:b", 2)).toMatchObject({ "ratelimit-remaining": "4998" });

  now = new Date(now.getTime() + HOUR_MS);
  expect(take("did:plc:a", 2)).toMatchObject({ "ratelimit-remaining": "4998" });
});
