import { describe, expect, test } from "@jest/globals";
import { afterFailure, type FailedTry } from "../../shared/domain/retry.ts";
import {
  afterFailedLook,
  afterLookInVain,
  firstLookAt,
  type LookRules,
} from "../../shared/domain/reconciliation.ts";

const now = new Date("2027-02-05T12:00:00Z");
const after = (ms: number) => new Date(now.getTime() + ms);
const HOUR = 3_600_000;

const failed: FailedTry = {
  kind: "unavailable",
  until: null,
  tries: 0,
  latestAt: after(24 * HOUR),
  isPartlyOut: false,
  isOwnFault: false,
  now,
  firstLookAt: after(5_000),
  chance: 1,
};

describe("after a failure", () => {
  test("a platform that is away is tried again, ever more slowly", () => {
    const pauses = [0, 1, 2, 3, 9].map((tries) => {
      const { nextAt } = afterFailure({ ...failed, tries });
      return ((nextAt?.getTime() ?? 0) - now.getTime()) / 1_000;
    });

    expect(pauses).toEqual([30, 120, 300, 900, 7_200]);
  });

  test("tries are spread, never to more than half of the pause", () => {
    expect(afterFailure({ ...failed, chance: 0 }).nextAt).toEqual(after(15_000));
  });

  test.each(["unavailable", "rate_limited", "quota_exhausted"] as const)(
    "what would go out too late fails no more than what waits: it is found missed (%s)",
    (kind) => {
      const until = after(30_000);
      const consequence = afterFailure({ ...failed, kind, until, latestAt: after(29_000) });

      expect(consequence).toMatchObject({ state: "scheduled", nextAt: after(29_001) });
      expect(consequence.channelWaitsUntil).toEqual(kind === "unavailable" ? null : until);
    },
  );

  test("a thread that is half out is tried however late it is", () => {
    const consequence = afterFailure({ ...failed, latestAt: now, isPartlyOut: true });

    expect(consequence).toMatchObject({ state: "partial", nextAt: after(30_000) });
  });

  test("a limit is waited for exactly, on the whole channel, and uses up no try", () => {
    const until = after(90_000);

    expect(afterFailure({ ...failed, kind: "rate_limited", until })).toEqual({
      state: "scheduled",
      nextAt: until,
      tries: 0,
      channelWaitsUntil: until,
    });
  });

  test.each([
    ["in the past", after(-HOUR), after(1_000)],
    ["in ten years", after(10 * 365 * 24 * HOUR), after(6 * HOUR)],
    ["not given", null, after(60_000)],
  ])("a time to come back that is %s is not taken literally", (_when, until, expected) => {
    expect(afterFailure({ ...failed, kind: "rate_limited", until }).nextAt).toEqual(expected);
  });

  test("a lost answer is looked for", () => {
    const consequence = afterFailure({ ...failed, kind: "unknown_outcome" });

    expect(consequence).toMatchObject({ state: "unknown", nextAt: after(5_000) });
  });

  test.each(["content_rejected", "gone", "bug"] as const)("%s waits for a person", (kind) => {
    expect(afterFailure({ ...failed, kind })).toMatchObject({ state: "failed", nextAt: null });
    expect(afterFailure({ ...failed, kind, isPartlyOut: true })).toMatchObject({
      state: "partial",
      nextAt: null,
    });
  });
});

describe("what the whole channel is to blame for", () => {
  const refused = { ...failed, kind: "reauthorize" } as const;

  test.each(["reauthorize", "permission", "billing"] as const)("%s waits for it", (kind) => {
    expect(afterFailure({ ...failed, kind })).toMatchObject({ state: "scheduled", tries: 0 });
    expect(afterFailure({ ...failed, kind, isPartlyOut: true }).state).toBe("partial");
  });

  test("is not failed however late it is, but found missed", () => {
    expect(afterFailure({ ...refused, latestAt: now }).nextAt).toEqual(after(5_000));
  });

  test("fails a delivery that turned out to be to blame itself", () => {
    const consequence = afterFailure({ ...refused, kind: "permission", isOwnFault: true });

    expect(consequence).toMatchObject({ state: "failed", nextAt: null });
  });
});

describe("a lost answer", () => {
  const rules: LookRules = { visibilityLagMs: 10_000, repeatableForMs: 0, canProveAbsence: true };
  const look = { looks: 0, armedAt: now, now: after(60_000), wasCalledDuplicate: false };

  test("is looked for when the request cannot be under way and the post would be visible", () => {
    expect(firstLookAt(now, rules)).toEqual(after(10_000));
    expect(firstLookAt(now, { ...rules, visibilityLagMs: 0 })).toEqual(after(5_000));
  });

  test("needs two looks in vain, a visibility lag apart, before the post is sent again", () => {
    expect(afterLookInVain(look, rules)).toEqual({
      next: "look_again",
      at: after(70_000),
      looks: 1,
    });
    expect(afterLookInVain({ ...look, looks: 1 }, rules)).toEqual({ next: "send_again" });
  });

  test("needs one look where sending the same again is harmless", () => {
    const harmless = { ...rules, repeatableForMs: 120_000 };

    expect(afterLookInVain(look, harmless)).toEqual({ next: "send_again" });
    expect(afterLookInVain({ ...look, now: after(120_000) }, harmless).next).toBe("look_again");
  });

  test("is a person's to settle where the platform cannot prove that a post is absent", () => {
    const blind = { ...rules, canProveAbsence: false };

    expect(afterLookInVain({ ...look, looks: 5 }, blind)).toEqual({ next: "ask_person" });
  });

  test("is a person's to settle where the platform calls it a duplicate and does not show it", () => {
    const called = { ...look, looks: 5, wasCalledDuplicate: true };

    expect(afterLookInVain(called, rules)).toEqual({ next: "ask_person" });
  });

  test("is looked for five times when looking fails, then a person is asked", () => {
    const pauses = [0, 1, 2, 3, 4].map((count) => {
      return ((afterFailedLook(count, now)?.getTime() ?? 0) - now.getTime()) / 1_000;
    });

    expect(pauses).toEqual([15, 60, 300, 900, 3_600]);
    expect(afterFailedLook(5, now)).toBeNull();
  });
});
