import { moveDelivery, type DueDelivery } from "../../shared/db/deliveries.ts";
import { forgetNextLook } from "../../shared/db/repairs.ts";
import { REPAIRS, WORKED_ON } from "../../shared/domain/repair.ts";
import type { Work } from "../engine/handler.ts";

/**
 * Stops a delivery in a state that no move leads to, which only a hand in the tables can have left behind: nothing of it is sent.
 * @returns whether it was stopped
 */
export async function refuseImpossible(work: Work, delivery: DueDelivery): Promise<boolean> {
  const { id: deliveryId, version, state } = delivery;
  const { context } = work;
  if (!WORKED_ON.includes(state)) {
    context.log.error({ deliveryId, state }, "a delivery that nothing is to be done with was due");
    await forgetNextLook(context.db, delivery);
    return true;
  }
  if (state !== "partial" || delivery.receipts.length > 0 || delivery.openAttempt) return false;
  const { state: to, error } = REPAIRS.nothing_out;
  context.log.error({ deliveryId, state, to }, "a thread half out has no receipt");
  await moveDelivery(context.db, {
    deliveryId,
    version,
    to,
    nextAt: null,
    error,
    tries: 0,
    looks: 0,
    answer: null,
  });
  return true;
}
