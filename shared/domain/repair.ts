import type { DeliveryError, DeliveryState } from "./delivery.ts";

/**
 * What no move leads to and only a hand in the tables, or a fault of ours, can leave behind: a delivery that would never move
 * again, or that claims what nothing proves. What is safe goes on by itself; for the rest a person is asked, and nothing is sent.
 */
export const REPAIRS = {
  /** Nobody would ever look at it again. */
  forgotten: { state: null, looksAgain: true, error: null },
  /** A request may be out, but the delivery says nothing of it: the platform is asked. */
  answer_missing: { state: "unknown", looksAgain: true, error: unknown(null) },
  attempt_missing: {
    state: "unknown",
    looksAgain: false,
    error: unknown(
      "By its state it was being sent, but there is no record of a request without an answer.",
    ),
  },
  receipt_missing: {
    state: "unknown",
    looksAgain: false,
    error: unknown("It counted as published, but there is no receipt that proves it."),
  },
  nothing_out: {
    state: "failed",
    looksAgain: false,
    error: {
      kind: "bug",
      platformMessage:
        "It counted as partly out, but there is no receipt of any part. Look at the channel before you retry.",
      platformCode: null,
    },
  },
} as const satisfies Record<string, Repair>;

export type RepairReason = keyof typeof REPAIRS;

interface Repair {
  /** What it becomes; null where it stays what it is. */
  readonly state: DeliveryState | null;
  /** Whether a worker goes on with it; else it waits for a person. */
  readonly looksAgain: boolean;
  /** Shown to that person; null leaves what is there. */
  readonly error: DeliveryError | null;
}

function unknown(platformMessage: string | null): DeliveryError {
  return { kind: "unknown_outcome", platformMessage, platformCode: null };
}

/** States in which a worker has something to do when the time comes. In all others a time is a mistake. */
export const WORKED_ON: readonly DeliveryState[] = [
  "scheduled",
  "preparing",
  "sending",
  "unknown",
  "partial",
];
