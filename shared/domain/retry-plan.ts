import { RETRYABLE, type DeliveryState } from "./delivery.ts";

/**
 * What a person may retry. A thread of which some parts are out is among them: it goes on where it stopped, whereas the
 * others begin anew.
 */
export const PERSON_MAY_RETRY: readonly DeliveryState[] = [...RETRYABLE, "partial"];

/** Whether a retry sends all of it, or only what is not out yet. */
export function retryGoesOn(state: DeliveryState): boolean {
  return state === "partial";
}
