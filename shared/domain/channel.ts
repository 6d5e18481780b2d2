import { FAILURES, type FailureKind } from "./failure.ts";

/** Why a channel needs a person, in words that a person can act on. */
export interface Attention {
  readonly kind: FailureKind;
  readonly title: string;
  /** The platform's own error where it gave one, then what to do. */
  readonly detail: string;
}

/** Failures that concern the channel as a whole, so that every later post would meet them too. */
const OF_THE_CHANNEL: readonly FailureKind[] = ["reauthorize", "permission", "billing", "gone"];

/** What a failed check means for the channel; null where the channel is not to blame. */
export function attentionFor(kind: FailureKind, platformMessage: string | null): Attention | null {
  if (!OF_THE_CHANNEL.includes(kind)) return null;
  const { title, nextStep } = FAILURES[kind];
  const detail =
    platformMessage === null ? nextStep : `The platform says: ${platformMessage} ${nextStep}`;
  return { kind, title, detail };
}
