import type { DeliveryError } from "./delivery.ts";

/** What brings down its worker this often is not tried again without a person. */
const MOST_CRASHES = 3;

const REST_MS = { shortest: 5_000, longest: 20_000 };

/** What becomes of a delivery that a worker had in hand when it ended. */
export type AfterAbandoned =
  | { readonly is: "go_on" }
  | { readonly is: "rest"; readonly forMs: number }
  | { readonly is: "stop" };

/**
 * Workers end for many reasons, so once means nothing. The second time it rests: what was in the same hands is then no longer worked
 * on at the same moment, and only what is to blame can bring down a worker a third time.
 * @param times including this one
 * @param chance from 0 to 1
 */
export function afterAbandoned(times: number, chance: number): AfterAbandoned {
  if (times >= MOST_CRASHES) return { is: "stop" };
  if (times < MOST_CRASHES - 1) return { is: "go_on" };
  return { is: "rest", forMs: REST_MS.shortest + chance * (REST_MS.longest - REST_MS.shortest) };
}

const platformMessage = "Workers ended three times while they worked on this.";

/** What a person is told of it. */
export const AFTER_CRASHES = {
  stopped: { kind: "bug", platformMessage, platformCode: null },
  unknown: { kind: "unknown_outcome", platformMessage, platformCode: null },
} as const satisfies Record<string, DeliveryError>;
