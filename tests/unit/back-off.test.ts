import { expect, test } from "@jest/globals";
import { backOff } from "../../scripts/launch/back-off.ts";

test("waits longer from life to life, but never so long that a repaired store is left waiting", () => {
  const waits = backOff(() => 0);

  expect(Array.from({ length: 6 }, () => waits.nextMs())).toEqual([
    500, 1_000, 2_000, 4_000, 5_000, 5_000,
  ]);
});

test("begins anew after a steady life", () => {
  let nowMs = 0;
  const waits = backOff(() => nowMs);
  waits.nextMs();
  waits.nextMs();
  waits.started();
  nowMs += 60_001;

  expect(waits.nextMs()).toBe(500);
});
