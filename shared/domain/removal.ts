import type { DeliveryError, DeliveryState } from "./delivery.ts";
import { FAILURES, needsPerson, type FailureKind } from "./failure.ts";
import { afterPause, toldTime } from "./retry.ts";
import type { Explanation } from "./stop.ts";

/** Something of it is public, and nothing is under way. */
export const REMOVABLE: readonly DeliveryState[] = ["published", "partial"];

/** About half a day of a platform being away; then a person is asked, who can take it away by hand. */
const LAST_TRY = 12;

export interface FailedRemoval {
  readonly kind: FailureKind;
  /** When the platform said to come back, UTC. */
  readonly until: Date | null;
  /** Tries in a row before this one that failed for want of the platform or of the channel's sign-in. */
  readonly tries: number;
  readonly now: Date;
  /** From 0 to 1: spreads the tries of many removals. */
  readonly chance: number;
}

/**
 * When a removal goes on after a failed try, UTC; null where a person must act. A lost answer is no riddle here: taking away
 * what is gone already does no harm.
 */
export function afterFailedRemoval(failed: FailedRemoval): {
  readonly at: Date | null;
  readonly tries: number;
} {
  const { kind, until, tries, now } = failed;
  const { retry } = FAILURES[kind];
  if (retry === "when_told") return { at: toldTime(until, now), tries };
  if (needsPerson(kind) || tries >= LAST_TRY) return { at: null, tries };
  return { at: afterPause(failed), tries: tries + 1 };
}

/** Why something is still public that somebody wants gone. */
export function explainRemoval(
  { kind, platformMessage }: DeliveryError,
  nextAt: Date | null,
): Explanation {
  const nextStep = nextAt
    ? "Nothing to do: Postwell tries again by itself. If it is urgent, take it away on the platform by hand."
    : "Take it away on the platform by hand, or settle the cause. Then ask for the removal again: what is gone already counts as removed.";
  const detail = "It was not taken away. What is left of it is still public.";
  return { kind, title: FAILURES[kind].title, detail, platformMessage, nextStep };
}
