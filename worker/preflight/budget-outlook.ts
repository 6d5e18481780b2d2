import type { BusyTime } from "../../shared/db/preflights.ts";
import { renewedAt, windowOf, type Budget } from "../../shared/domain/budget.ts";

/** A delivery as budgets see it. */
export interface Spending {
  readonly id: string;
  readonly dueAt: Date;
  /** Its parts. */
  readonly posts: number;
}

/** The earliest instant whose posts may count against a budget at `dueAt`. */
export function countsFrom(budget: Budget, dueAt: Date): Date {
  return windowOf(budget, dueAt).countsFrom;
}

/**
 * When a budget lets a delivery go, if all that is planned before it goes out at its time.
 * @param busy in the order of the times; without what counts in another window
 * @returns null for at its time
 */
export function budgetFreeAt(
  budget: Budget,
  { id, dueAt, posts }: Spending,
  busy: readonly BusyTime[],
): Date | null {
  const window = windowOf(budget, dueAt);
  const before = busy.filter(
    ({ at, deliveryId }) =>
      at >= window.countsFrom &&
      (at < dueAt || (deliveryId !== null && deliveryId < id && at.getTime() === dueAt.getTime())),
  );
  const used = before.reduce((sum, one) => sum + one.posts, 0);
  if (used + posts <= budget.limit) return null;
  const [first] = before;
  return renewedAt(budget, window, first ? windowOf(budget, first.at).bucketAt : null);
}
