import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import {
  DELIVERY_STATES,
  EDITABLE,
  FINAL,
  IN_FLIGHT,
  mayMove,
  RETRYABLE,
} from "../../shared/domain/delivery.ts";
import {
  isEditable,
  isInFlight,
  isOut,
  refuseInFlight,
  refuseOut,
} from "../../shared/domain/delivery-plan.ts";
import { FAILURES } from "../../shared/domain/failure.ts";
import { PERSON_MAY_RETRY, retryGoesOn } from "../../shared/domain/retry-plan.ts";
import { explain } from "../../shared/domain/stop.ts";
import { waitAfter } from "../../shared/domain/wait.ts";
import { AppError } from "../../shared/errors.ts";

const inState = (state: (typeof DELIVERY_STATES)[number]) => ({ id: "d", channelId: "c", state });

describe("the states of a delivery", () => {
  test("are each editable, in flight, or out, and only one of it", () => {
    for (const state of DELIVERY_STATES) {
      const delivery = inState(state);
      const claims = [isEditable(delivery), isInFlight(delivery), isOut(delivery)];

      expect([state, claims.filter(Boolean)]).toEqual([state, [true]]);
    }
  });

  test("that may be edited may be cancelled and planned anew, and those in flight may not", () => {
    for (const state of EDITABLE) {
      expect([state, mayMove(state, "cancelled")]).toEqual([state, true]);
      expect([state, state === "scheduled" || mayMove(state, "scheduled")]).toEqual([state, true]);
    }
    expect(IN_FLIGHT.some((state) => state !== "unknown" && mayMove(state, "cancelled"))).toBe(
      false,
    );
  });

  test("reach the commit only through preparing", () => {
    const before = DELIVERY_STATES.filter((state) => mayMove(state, "sending"));

    expect(before).toEqual(["preparing"]);
  });

  test("that end a delivery are left by nothing but a removal", () => {
    for (const state of FINAL) {
      const next = DELIVERY_STATES.filter((to) => mayMove(state, to));
      expect([state, next]).toEqual([state, state === "published" ? ["removed"] : []]);
    }
  });

  test("never lead from published back to the queue, whatever happens", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...DELIVERY_STATES)), (wishes) => {
        let state: (typeof DELIVERY_STATES)[number] = "published";
        for (const wish of wishes) if (mayMove(state, wish)) state = wish;
        expect(["published", "removed"]).toContain(state);
      }),
    );
  });

  test("that a person may retry can go out again; a thread goes on, the others begin anew", () => {
    for (const state of RETRYABLE) {
      expect([state, mayMove(state, "scheduled"), retryGoesOn(state)]).toEqual([
        state,
        true,
        false,
      ]);
    }
    expect(PERSON_MAY_RETRY.filter(retryGoesOn)).toEqual(["partial"]);
    expect(mayMove("partial", "preparing")).toBe(true);
  });
});

describe("a refusal", () => {
  const thrown = (work: () => void): unknown => {
    try {
      work();
      return null;
    } catch (error) {
      return error;
    }
  };

  test("names every delivery that is in the way, and comes only then", () => {
    const [sending, unknown, scheduled] = [
      inState("sending"),
      inState("unknown"),
      inState("scheduled"),
    ];

    const error = thrown(() => refuseInFlight([scheduled, sending, unknown]));

    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({
      code: "post.publishing",
      fields: [{ facts: { state: "sending" } }, { facts: { state: "unknown" } }],
    });
    expect(thrown(() => refuseInFlight([scheduled, inState("published")]))).toBeNull();
  });

  test("speaks of what is public where something is", () => {
    expect(thrown(() => refuseOut([inState("partial")]))).toMatchObject({
      code: "post.already_published",
    });
    expect(thrown(() => refuseOut([inState("failed"), inState("sending")]))).toBeNull();
  });
});

describe("an explanation", () => {
  const latestAt = new Date("2027-02-05T12:15:00Z");
  const standing = {
    error: null,
    nextAt: null,
    latestAt,
    attention: null,
    waitedFor: null,
    isHalfHeld: false,
    removalWishedAt: null,
  };

  test("is there for every kind of failure and never without a next step", () => {
    for (const { title, meaning, nextStep } of Object.values(FAILURES)) {
      expect(title).toMatch(/[^.]$/);
      expect(meaning).toMatch(/\.$/);
      expect(nextStep).toMatch(/\.$/);
    }
    const error = { kind: "billing", platformMessage: "402", platformCode: null } as const;
    expect(explain({ ...standing, state: "failed", error })).toMatchObject({
      kind: "billing",
      title: FAILURES.billing.title,
      detail: FAILURES.billing.meaning,
      platformMessage: "402",
      nextStep: FAILURES.billing.nextStep,
    });
  });

  test("is there for what stopped without failing, and not for what goes well", () => {
    expect(explain({ ...standing, state: "missed" })).toMatchObject({
      kind: "missed",
      platformMessage: null,
    });
    for (const state of ["scheduled", "preparing", "sending", "published", "cancelled"] as const) {
      expect([state, explain({ ...standing, state })]).toEqual([state, null]);
    }
  });

  test.each([
    ["scheduled", "Postwell tries again by itself at 2027-02-05T12:05:00.000Z."],
    ["partial", "Postwell goes on by itself at 2027-02-05T12:05:00.000Z."],
    ["unknown", "Postwell asks the platform by itself at 2027-02-05T12:05:00.000Z"],
    ["sending", "Postwell tries again at this moment."],
  ] as const)("says of what is %s that it goes on by itself, and when", (state, words) => {
    const nextAt = new Date("2027-02-05T12:05:00Z");

    for (const kind of ["unavailable", "rate_limited", "unknown_outcome"] as const) {
      const error = { kind, platformMessage: null, platformCode: null };
      const nextStep = explain({ ...standing, state, error, nextAt })?.nextStep ?? "";
      expect(nextStep).toContain(words);
      expect(nextStep).not.toMatch(/retry|say here/);
    }
  });

  test("says that the next try would come too late, and what helps", () => {
    const error = { kind: "rate_limited", platformMessage: null, platformCode: null } as const;
    const nextAt = new Date("2027-02-05T12:16:00Z");

    expect(explain({ ...standing, state: "scheduled", error, nextAt })?.nextStep).toBe(
      "It is missed at 2027-02-05T12:15:00.000Z, before it can be tried again. Give the post a later time, or allow it to be later.",
    );
  });

  test.each([
    ["rate_limited", "platform_limit"],
    ["quota_exhausted", "platform_limit"],
    ["unavailable", "outage"],
    ["content_rejected", null],
    ["reauthorize", null],
  ] as const)("knows that after %s a delivery waits for: %s", (kind, reason) => {
    expect(waitAfter(kind)).toBe(reason);
  });

  test("keeps the platform's words where something was missed", () => {
    const error = {
      kind: "rate_limited",
      platformMessage: "Slow down.",
      platformCode: "429",
    } as const;
    const missed = { ...standing, state: "missed", error, waitedFor: "platform_limit" } as const;

    expect(explain(missed)).toMatchObject({
      kind: "missed",
      detail: expect.stringContaining("the platform had asked for a pause"),
      platformMessage: "Slow down.",
    });
  });

  test("says of a thread half out whether a hold stopped it, unless it goes on or is being taken away", () => {
    const half = { ...standing, state: "partial", nextAt: null } as const;

    expect(explain({ ...half, isHalfHeld: true })).toMatchObject({
      kind: "held",
      title: "It was stopped by a hold",
      detail: "Some parts of the thread are out, the others are not.",
    });
    expect(explain(half)).toMatchObject({ kind: "partial" });
    expect(explain({ ...half, nextAt: new Date() })).toBeNull();
    expect(explain({ ...half, removalWishedAt: new Date() })).toBeNull();
  });
});
