import { describe, expect, test } from "@jest/globals";
import type { FailureKind } from "../../shared/domain/failure.ts";
import { lifeSign, rampDelayMs } from "../../shared/domain/outage.ts";

describe("what an exchange tells about a platform", () => {
  const cases: readonly (readonly [FailureKind, string | null, string])[] = [
    ["unavailable", "503", "away"],
    ["unavailable", "ECONNREFUSED", "away"],
    ["unknown_outcome", null, "away"],
    ["unknown_outcome", "502", "away"],
    ["rate_limited", "429", "answers"],
    ["content_rejected", "422", "answers"],
    ["reauthorize", "401", "answers"],
    ["unavailable", "403", "none"],
    ["unknown_outcome", "200", "none"],
    ["unavailable", "POSTWELL_PRIVATE_ADDRESS", "none"],
    ["bug", null, "none"],
  ];
  test.each(cases)("%s with code %s is %s", (kind, platformCode, sign) => {
    expect(lifeSign({ kind, platformCode })).toBe(sign);
  });

  test("an answer without a failure is a sign of life", () => {
    expect(lifeSign(null)).toBe("answers");
  });
});

describe("after an outage", () => {
  const ramp = (count: number) =>
    Array.from({ length: count }, (_, rank) => rampDelayMs(rank, count));
  const goneBy = (delays: readonly number[], ms: number) =>
    delays.filter((delay) => delay <= ms).length;

  test("5,000 channels go on over a minute, more and more of them, in their order", () => {
    const delays = ramp(5_000);

    expect(delays).toEqual(delays.toSorted((one, other) => one - other));
    expect(goneBy(delays, 0)).toBe(250);
    expect(goneBy(delays, 20_000)).toBe(1_250);
    expect(goneBy(delays, 60_000)).toBe(5_000);
  });

  test("a few go on at once", () => {
    expect(ramp(5)).toEqual([0, 0, 0, 0, 0]);
  });

  test("some dozens take seconds", () => {
    const delays = ramp(40);

    expect(goneBy(delays, 0)).toBe(5);
    expect(delays.at(-1)).toBe(8_000);
  });
});
