import type { FailureKind } from "./failure.ts";

export const DELIVERY_STATES = [
  "scheduled",
  "preparing",
  "sending",
  "unknown",
  "published",
  "partial",
  "failed",
  "held",
  "missed",
  "expired",
  "cancelled",
  "removed",
] as const;

export type DeliveryState = (typeof DELIVERY_STATES)[number];

/**
 * A delivery's life as data: which state may follow which. A move that is not here does not exist; each is made by one
 * conditional UPDATE on state and version.
 */
const MOVES: Readonly<Record<DeliveryState, readonly DeliveryState[]>> = {
  /** Has a time, and waits for it. */
  scheduled: [
    "preparing",
    "unknown",
    "published",
    "held",
    "missed",
    "expired",
    "cancelled",
    "failed",
  ],
  /** Repeatable work: uploads, gates. */
  preparing: ["sending", "unknown", "scheduled", "partial", "failed", "held", "missed"],
  /** An attempt without an answer exists: the post may be out. */
  sending: ["published", "preparing", "partial", "scheduled", "failed", "unknown"],
  /** The answer was lost; the platform is asked, then a person. */
  unknown: ["published", "preparing", "partial", "scheduled", "failed", "cancelled"],
  /** Some parts of a thread are out. */
  partial: ["preparing", "unknown", "published", "removed", "failed"],
  published: ["removed"],
  /** A person must act. */
  failed: ["scheduled", "cancelled"],
  held: ["scheduled", "cancelled"],
  missed: ["scheduled", "cancelled"],
  expired: ["scheduled", "cancelled"],
  cancelled: [],
  removed: [],
};

/** Whether `to` may follow `from`. */
export function mayMove(from: DeliveryState, to: DeliveryState): boolean {
  return MOVES[from].includes(to);
}

/** Nothing of it has left and nothing is under way: its post may be edited, moved or cancelled. */
export const EDITABLE: readonly DeliveryState[] = [
  "scheduled",
  "held",
  "missed",
  "expired",
  "failed",
];

/** A worker has it in hand, or nobody knows yet whether it is out: hands off. */
export const IN_FLIGHT: readonly DeliveryState[] = ["preparing", "sending", "unknown"];

/** A person is asked to retry it. */
export const RETRYABLE: readonly DeliveryState[] = ["failed", "missed", "expired", "held"];

/** No worker and no person will touch it again. */
export const FINAL: readonly DeliveryState[] = ["published", "cancelled", "removed"];

/** The last failure, as stored. Ids and the platform's own words only: never post text, never a secret. */
export interface DeliveryError {
  readonly kind: FailureKind;
  readonly platformMessage: string | null;
  readonly platformCode: string | null;
}
