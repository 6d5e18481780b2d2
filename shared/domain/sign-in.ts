const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * Renewed so long before its end at least, where it lasts that long: a renewal that goes wrong is then found well before
 * any post that is due near the end.
 */
const AHEAD_MS = 20 * MINUTE_MS;
const AHEAD_SHARE = 0.2;

/** A platform that gives out sign-ins which have ended already is not asked without a pause. */
const SHORTEST_PAUSE_MS = MINUTE_MS;

/** When a sign-in that works until `endsAt` is renewed: when a fifth of its life is left. UTC. */
export function renewAt(endsAt: Date, now: Date): Date {
  const lifeMs = endsAt.getTime() - now.getTime();
  const aheadMs = Math.max(lifeMs * AHEAD_SHARE, Math.min(AHEAD_MS, lifeMs / 2));
  return new Date(Math.max(endsAt.getTime() - aheadMs, now.getTime() + SHORTEST_PAUSE_MS));
}

const LONGEST_PAUSE_MS = 5 * MINUTE_MS;
const QUICKEST_PAUSE_MS = 15_000;

/** When to try again after a renewal that failed for want of the platform: the less time is left, the sooner. UTC. */
export function renewAgainAt(endsAt: Date | null, now: Date): Date {
  const leftMs = endsAt === null ? 0 : endsAt.getTime() - now.getTime();
  if (leftMs <= 0) return new Date(now.getTime() + MINUTE_MS);
  const pauseMs = Math.min(Math.max(leftMs / 4, QUICKEST_PAUSE_MS), LONGEST_PAUSE_MS);
  return new Date(now.getTime() + pauseMs);
}

/** What asking the platform about a channel has shown; `unknown` where it could not be asked. */
export type CheckOutcome = "well" | "needs_person" | "unknown";

const CHECK_AFTER_MS: Readonly<Record<CheckOutcome, number>> = {
  well: 24 * HOUR_MS,
  // It may have been put right on the platform itself.
  needs_person: HOUR_MS,
  unknown: 15 * MINUTE_MS,
};

/** When the platform is asked again. `chance`, from 0 to 1, spreads the channels. UTC. */
export function checkAgainAt(outcome: CheckOutcome, now: Date, chance: number): Date {
  return new Date(now.getTime() + CHECK_AFTER_MS[outcome] * (0.8 + chance * 0.2));
}
