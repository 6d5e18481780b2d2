import type { DeliveryError } from "./delivery.ts";
import { FAILURES, type FailureKind } from "./failure.ts";

/** Why a channel needs a person, in words that a person can act on. */
export interface Attention {
  readonly kind: FailureKind;
  readonly title: string;
  /** The platform's own error where it gave one, then what to do. */
  readonly detail: string;
  /** Whether a check showed it, or a post that was refused; absent for the latter. */
  readonly foundBy?: "check";
}

/** Failures that concern the channel as a whole, so that every later post would meet them too. */
const OF_THE_CHANNEL: readonly FailureKind[] = ["reauthorize", "permission", "billing", "gone"];

/**
 * Code of a refusal that follows a renewal whose answer never came: a rotating sign-in may have been spent by it, and the new
 * one lost.
 */
export const RENEWAL_LOST = "postwell_renewal_lost";

const LOST: Pick<Attention, "title" | "detail"> = {
  title: "The channel's sign-in was lost while it was being renewed",
  detail:
    "A renewal was cut off before its answer was stored, and the platform no longer accepts the sign-in from before it. " +
    "Nobody has to have done anything wrong. Reconnect the channel. What is still in time then goes out by itself.",
};

/** What a failure means for the channel; null where the channel is not to blame. */
export function attentionFor(failure: DeliveryError): Attention | null {
  const { kind, platformMessage, platformCode } = failure;
  if (!OF_THE_CHANNEL.includes(kind)) return null;
  if (platformCode === RENEWAL_LOST) return { kind, ...LOST };
  const { title, nextStep } = FAILURES[kind];
  const detail =
    platformMessage === null ? nextStep : `The platform says: ${platformMessage} ${nextStep}`;
  return { kind, title, detail };
}

/** Whether a person would read the same. */
export function sameOutage(one: Attention, other: Attention): boolean {
  return one.kind === other.kind && one.title === other.title && one.detail === other.detail;
}

/**
 * Whether a check that went well says that all is well again: a check reads, so it knows nothing of a refused post, unless
 * it was the sign-in that was refused.
 */
export function endsWithCheck({ kind, foundBy }: Attention): boolean {
  return kind === "reauthorize" || foundBy === "check";
}
