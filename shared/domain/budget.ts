import { DateTime } from "luxon";

/** A limit on posting, as a platform publishes it. */
export interface Budget {
  readonly scope: "channel" | "app";
  readonly limit: number;
  readonly perMs: number;
  /** Begins anew at midnight there. */
  readonly resetsAt?: { readonly zone: string } | undefined;
}

/** Where a moment stands in a budget's time. Instants in UTC. */
export interface BudgetWindow {
  /** What was taken from then on counts. */
  readonly countsFrom: Date;
  /** What is taken now is noted for then, and may be used until `bucketEndsAt`. */
  readonly bucketAt: Date;
  readonly bucketEndsAt: Date;
  /** When what is taken now does not count any more. */
  readonly forgetAt: Date;
}

const DAY_MS = 24 * 60 * 60_000;

/** A sliding window moves on in steps of this part of it. */
const STEPS = 24;

/** Part of a small budget that one worker may set aside: what it does not use is lost for the others. */
const SET_ASIDE = 1 / 50;

/** A quota of a day or more must survive the loss of the queue's store. */
export function isQuota({ perMs, resetsAt }: Budget): boolean {
  return resetsAt !== undefined || perMs >= DAY_MS;
}

/**
 * Short windows begin at multiples of their length; quotas slide, so that no day of any beginning has more than the limit,
 * unless they begin anew at midnight.
 */
export function windowOf(budget: Budget, now: Date): BudgetWindow {
  if (budget.resetsAt) return fixed(...dayOf(budget.resetsAt.zone, now));
  const { perMs } = budget;
  if (!isQuota(budget)) {
    const startsAt = floor(now.getTime(), perMs);
    return fixed(new Date(startsAt), new Date(startsAt + perMs));
  }
  const stepMs = perMs / STEPS;
  const bucketAt = floor(now.getTime(), stepMs);
  return {
    countsFrom: new Date(floor(now.getTime() - perMs, stepMs)),
    bucketAt: new Date(bucketAt),
    bucketEndsAt: new Date(bucketAt + stepMs),
    forgetAt: new Date(bucketAt + stepMs + perMs),
  };
}

/**
 * When there is something to take again.
 * @param oldest the oldest bucket that counts; null where that is the current one
 */
export function renewedAt(budget: Budget, window: BudgetWindow, oldest: Date | null): Date {
  const isSliding = window.countsFrom < window.bucketAt;
  if (!isSliding) return window.bucketEndsAt;
  const bucketAt = oldest ?? window.bucketAt;
  return new Date(bucketAt.getTime() + budget.perMs / STEPS + budget.perMs);
}

/** How many a worker takes at once, so that it need not ask for each. */
export function portionOf({ limit }: Budget): number {
  return Math.max(1, Math.floor(limit * SET_ASIDE));
}

function fixed(startsAt: Date, endsAt: Date): BudgetWindow {
  return { countsFrom: startsAt, bucketAt: startsAt, bucketEndsAt: endsAt, forgetAt: endsAt };
}

/** The day of a zone is an hour shorter or longer when its clocks change. */
function dayOf(zone: string, now: Date): [Date, Date] {
  const midnight = DateTime.fromJSDate(now, { zone }).startOf("day");
  const next = midnight.plus({ days: 1 }).startOf("day");
  return [midnight.toJSDate(), next.toJSDate()];
}

function floor(timeMs: number, stepMs: number): number {
  return Math.floor(timeMs / stepMs) * stepMs;
}
