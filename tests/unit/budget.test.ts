import { describe, expect, test } from "@jest/globals";
import {
  isQuota,
  portionOf,
  renewedAt,
  windowOf,
  type Budget,
} from "../../shared/domain/budget.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const at = (instant: string) => new Date(instant);

describe("a short window", () => {
  const budget: Budget = { scope: "channel", limit: 100, perMs: 15 * MINUTE_MS };

  test("begins at multiples of its length, for every worker alike", () => {
    const early = windowOf(budget, at("2027-02-05T12:00:00.000Z"));
    const late = windowOf(budget, at("2027-02-05T12:14:59.999Z"));

    expect(early).toEqual(late);
    expect(early.countsFrom).toEqual(at("2027-02-05T12:00:00Z"));
    expect(renewedAt(budget, early, null)).toEqual(at("2027-02-05T12:15:00Z"));
  });
});

describe("a quota of a day", () => {
  const budget: Budget = { scope: "app", limit: 10_000, perMs: DAY_MS };

  test("counts at least the last 24 hours, whatever the hour", () => {
    const now = at("2027-02-05T12:34:56Z");

    const window = windowOf(budget, now);

    expect(window.countsFrom).toEqual(at("2027-02-04T12:00:00Z"));
    expect(window.bucketAt).toEqual(at("2027-02-05T12:00:00Z"));
    expect(window.forgetAt.getTime()).toBeGreaterThanOrEqual(now.getTime() + DAY_MS);
  });

  test("is renewed when the oldest that counts is a day old to its last minute", () => {
    const window = windowOf(budget, at("2027-02-05T12:34:56Z"));

    const renewed = renewedAt(budget, window, at("2027-02-04T20:00:00Z"));

    expect(renewed).toEqual(at("2027-02-05T21:00:00Z"));
    expect(windowOf(budget, renewed).countsFrom > at("2027-02-04T20:00:00Z")).toBe(true);
    expect(renewedAt(budget, window, null)).toEqual(at("2027-02-06T13:00:00Z"));
  });
});

describe("a quota that ends at midnight of a zone", () => {
  const pacific = { zone: "America/Los_Angeles" };
  const budget: Budget = { scope: "app", limit: 100, perMs: DAY_MS, resetsAt: pacific };
  const lengthOf = (instant: string) => {
    const { countsFrom, bucketEndsAt } = windowOf(budget, at(instant));
    return (bucketEndsAt.getTime() - countsFrom.getTime()) / HOUR_MS;
  };

  test("has an hour less when the clocks go forward, and one more when they go back", () => {
    expect(lengthOf("2027-03-13T20:00:00Z")).toBe(24);
    expect(lengthOf("2027-03-14T20:00:00Z")).toBe(23);
    expect(lengthOf("2027-11-07T20:00:00Z")).toBe(25);
  });

  test("begins anew at that midnight, not at UTC's", () => {
    const window = windowOf(budget, at("2027-03-15T06:59:59Z"));

    expect(window.countsFrom).toEqual(at("2027-03-14T08:00:00Z"));
    expect(renewedAt(budget, window, null)).toEqual(at("2027-03-15T07:00:00Z"));
    expect(windowOf(budget, at("2027-03-15T07:00:00Z")).countsFrom).toEqual(
      at("2027-03-15T07:00:00Z"),
    );
  });

  test("begins with the first moment of a day that has no midnight", () => {
    const chile: Budget = { ...budget, resetsAt: { zone: "America/Santiago" } };

    const window = windowOf(chile, at("2026-09-06T12:00:00Z"));

    expect(window.countsFrom).toEqual(at("2026-09-06T04:00:00Z"));
  });
});

test("only what is shorter than a day may be lost with the queue's store", () => {
  expect(isQuota({ scope: "channel", limit: 1, perMs: 3 * HOUR_MS })).toBe(false);
  expect(isQuota({ scope: "channel", limit: 1, perMs: DAY_MS })).toBe(true);
});

test("a worker sets aside a fiftieth, and never nothing", () => {
  const portion = (limit: number) => portionOf({ scope: "app", limit, perMs: HOUR_MS });

  expect([portion(1), portion(49), portion(300), portion(10_000)]).toEqual([1, 1, 6, 200]);
});
