import { FAILURES, type FailureKind } from "./failure.ts";
import type { DeliveryState } from "./delivery.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Pauses between tries while a platform is away. Short at first: most failures last seconds. */
const BACK_OFF_MS = [30 * SECOND, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR];

/** A platform that asks for more is not believed: the channel is tried again after this. */
const LONGEST_WAIT_MS = 6 * HOUR;

/** A platform that asks us to wait without saying how long. */
const DEFAULT_WAIT_MS = MINUTE;

/** Should the channel turn out to be well, because somebody has just signed in, this is the pause between two tries. */
const CHANNEL_PAUSE_MS = 5 * SECOND;

/** What becomes of a delivery after a failure. */
export interface Consequence {
  readonly state: Extract<DeliveryState, "scheduled" | "partial" | "failed" | "unknown">;
  /** When a worker looks again, UTC; null where a person must act. */
  readonly nextAt: Date | null;
  readonly tries: number;
  /** Until when nothing is published on the whole channel, UTC; null for no such wish. */
  readonly channelWaitsUntil: Date | null;
}

export interface FailedTry {
  readonly kind: FailureKind;
  /** When the platform said to come back, UTC. */
  readonly until: Date | null;
  /** Tries before this one that failed for want of the platform. */
  readonly tries: number;
  readonly latestAt: Date;
  /** Some parts of the thread are public: it may not simply end. */
  readonly isPartlyOut: boolean;
  /** What looks like a fault of the channel is one of this delivery. */
  readonly isOwnFault: boolean;
  readonly now: Date;
  /** When a lost answer is looked for first, UTC. */
  readonly firstLookAt: Date;
  /** From 0 to 1: spreads the tries of many deliveries. */
  readonly chance: number;
}

/** Decides after a failed try. Pure: the same try always has the same consequence. */
export function afterFailure(failed: FailedTry): Consequence {
  switch (FAILURES[failed.kind].retry) {
    case "reconcile":
      return { state: "unknown", nextAt: failed.firstLookAt, tries: 0, channelWaitsUntil: null };
    case "when_told": {
      const until = toldTime(failed.until, failed.now);
      return { ...again(failed, until, failed.tries), channelWaitsUntil: until };
    }
    case "back_off": {
      const nextAt = afterPause(failed);
      return { ...again(failed, nextAt, failed.tries + 1), channelWaitsUntil: null };
    }
    case "channel":
      if (failed.isOwnFault) return { ...stopped(failed), channelWaitsUntil: null };
      return { ...waitForChannel(failed), channelWaitsUntil: null };
    default:
      return { ...stopped(failed), channelWaitsUntil: null };
  }
}

function again(
  failed: FailedTry,
  nextAt: Date,
  tries: number,
): Omit<Consequence, "channelWaitsUntil"> {
  if (failed.isPartlyOut) return { state: "partial", nextAt, tries };
  // What passes by itself fails no delivery, whoever noticed it first. A worker looks when the latest time is over, and finds
  // it missed, as it finds what has waited for a budget.
  const isTooLate = nextAt > failed.latestAt;
  return { state: "scheduled", nextAt: isTooLate ? plus(failed.latestAt, 1) : nextAt, tries };
}

/** It waits while the channel needs a person, and is found missed like the others. */
function waitForChannel(failed: FailedTry): Omit<Consequence, "channelWaitsUntil"> {
  const state = failed.isPartlyOut ? "partial" : "scheduled";
  return { state, nextAt: plus(failed.now, CHANNEL_PAUSE_MS), tries: failed.tries };
}

function stopped(failed: FailedTry): Omit<Consequence, "channelWaitsUntil"> {
  const state = failed.isPartlyOut ? "partial" : "failed";
  return { state, nextAt: null, tries: failed.tries };
}

/** When to try once more after so many tries in a row that the platform was away for. */
export function afterPause({
  now,
  tries,
  chance,
}: Pick<FailedTry, "now" | "tries" | "chance">): Date {
  const pauseMs = BACK_OFF_MS[Math.min(tries, BACK_OFF_MS.length - 1)] ?? HOUR;
  return plus(now, pauseMs * (0.5 + chance / 2));
}

/** When the platform said to come back. Platforms send times that have passed, and times in ten years. */
export function toldTime(until: Date | null, now: Date): Date {
  const wanted = until ?? plus(now, DEFAULT_WAIT_MS);
  const earliest = plus(now, SECOND);
  const latest = plus(now, LONGEST_WAIT_MS);
  if (wanted < earliest) return earliest;
  return wanted > latest ? latest : wanted;
}

function plus(time: Date, ms: number): Date {
  return new Date(time.getTime() + ms);
}
