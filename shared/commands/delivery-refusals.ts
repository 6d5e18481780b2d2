import type { DeliveryState } from "../domain/delivery.ts";
import { AppError } from "../errors.ts";

/** Also for a delivery of another workspace: whether it exists is nobody's business. */
export function deliveryMissing(): AppError {
  return new AppError("not_found", "delivery.missing", "There is no such delivery.");
}

/** @param wanted what may be done, in words: "be retried" */
export function badState(state: DeliveryState, wanted: string): AppError {
  const code = "delivery.bad_state";
  const detail = `A delivery that is ${state} cannot ${wanted}. Nothing was changed.`;
  return new AppError("conflict", code, detail, [
    { path: "state", code, detail, facts: { state } },
  ]);
}
