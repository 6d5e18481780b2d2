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

export function channelRemoved(): AppError {
  return new AppError(
    "conflict",
    "delivery.channel_removed",
    "The channel was removed. Connect it again and schedule the post on the new channel.",
  );
}

export function beingRemoved(): AppError {
  return new AppError(
    "conflict",
    "delivery.being_removed",
    "What is out of this delivery is being taken away, so nothing more of it goes out.",
  );
}

/** One part of it may be out or not. */
export function unanswered(): AppError {
  return new AppError(
    "conflict",
    "delivery.unanswered",
    "Whether the next part is out is not known yet. Postwell finds out within minutes; decide then.",
  );
}
