import { expect, test } from "@jest/globals";
import { ACTIONS, choicesFor } from "../../shared/domain/choices.ts";
import { DELIVERY_STATES, type DeliveryState } from "../../shared/domain/delivery.ts";
import { afterFailedRemoval, explainRemoval } from "../../shared/domain/removal.ts";
import { FAILURES, type FailureKind } from "../../shared/domain/failure.ts";

const choices = (state: DeliveryState) =>
  choicesFor({ state, removal: "none", canRemove: true }).map(({ action }) => action);

test("there is something to decide wherever a delivery waits for a person, and after publication", () => {
  expect(choices("unknown")).toEqual(["published", "send_again", "drop"]);
  expect(choices("partial")).toEqual(["go_on", "stop_here", "remove"]);
  for (const state of ["failed", "missed", "held", "expired"] as const) {
    expect([state, choices(state)]).toEqual([state, ["retry", "cancel"]]);
  }
  expect(choices("published")).toEqual(["remove"]);
  for (const state of ["scheduled", "preparing", "sending", "cancelled", "removed"] as const) {
    expect([state, choices(state)]).toEqual([state, []]);
  }
});

test("every action is offered somewhere, and says what it risks", () => {
  const all = DELIVERY_STATES.flatMap((state) =>
    choicesFor({ state, removal: "none", canRemove: true }),
  );

  expect([...new Set(all.map(({ action }) => action))].toSorted()).toEqual([...ACTIONS].toSorted());
  for (const { title, risk } of all) {
    expect(title).toMatch(/[^.]$/);
    expect(risk).toMatch(/\.$/);
  }
});

test("nothing but the removal is left to decide once it is wished for", () => {
  const after = (removal: "under_way" | "waits_for_person") =>
    choicesFor({ state: "partial", removal, canRemove: true }).map(({ action }) => action);

  expect(after("under_way")).toEqual([]);
  expect(after("waits_for_person")).toEqual(["remove"]);
});

test("a platform that cannot take posts away is not asked to", () => {
  const of = (state: DeliveryState) =>
    choicesFor({ state, removal: "none", canRemove: false }).map(({ action }) => action);

  expect(of("partial")).toEqual(["go_on", "stop_here"]);
  expect(of("published")).toEqual([]);
});

const now = new Date("2027-02-05T12:00:00Z");
const failed = (kind: FailureKind, tries = 0) =>
  afterFailedRemoval({ kind, until: null, tries, now, chance: 1 });

test("a removal is tried again by rule, and never once only a person can help", () => {
  const waits = Object.entries(FAILURES).flatMap(([kind, { retry }]) =>
    isKind(kind) ? [[retry, failed(kind).at === null]] : [],
  );

  for (const [retry, isOver] of waits) {
    expect([retry, isOver]).toEqual([retry, retry === "person" || retry === "channel"]);
  }
});

test("a lost answer to a removal is no riddle: it is asked for again", () => {
  expect(failed("unknown_outcome")).toEqual(failed("unavailable"));
});

test("a platform that stays away is asked less and less often, and at last a person is", () => {
  const pauses: number[] = [];
  let tries = 0;
  for (;;) {
    const next = failed("unavailable", tries);
    if (next.at === null) break;
    pauses.push(next.at.getTime() - now.getTime());
    ({ tries } = next);
  }

  expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
  expect(pauses.reduce((sum, pause) => sum + pause, 0)).toBeGreaterThan(6 * 3_600_000);
});

test("a platform's own time is kept, and uses up no try", () => {
  const until = new Date(now.getTime() + 90_000);
  const told = afterFailedRemoval({ kind: "rate_limited", until, tries: 3, now, chance: 0 });

  expect(told).toEqual({ at: until, tries: 3 });
});

test("an explanation says that it is still public, and what to do about it", () => {
  const error = { kind: "permission", platformMessage: "No.", platformCode: "403" } as const;

  expect(explainRemoval(error, null)).toMatchObject({
    kind: "permission",
    platformMessage: "No.",
    detail: expect.stringContaining("still public"),
    nextStep: expect.stringContaining("by hand"),
  });
  expect(explainRemoval(error, now).nextStep).toMatch(/^Nothing to do/);
});

function isKind(kind: string): kind is FailureKind {
  return kind in FAILURES;
}
