import { sql } from "kysely";
import type { Actor, Context } from "../context.ts";
import { inTransaction, type Tx } from "../db/client.ts";
import { lockDeliveries, type PlannedDelivery } from "../db/deliveries-plan.ts";
import { proofOf } from "../db/delivery-settlement.ts";
import { wishRemoval } from "../db/removals.ts";
import { REMOVABLE } from "../domain/removal.ts";
import { AppError } from "../errors.ts";
import { badState, channelRemoved, deliveryMissing, unanswered } from "./delivery-refusals.ts";

/**
 * Asks a worker to take away from the platform what is out of a delivery. Repeatable; where the removal waits for a person, it
 * goes on. Neither holds nor lateness stop it.
 * @throws {AppError} not_found `delivery.missing`; conflict `delivery.bad_state`, `delivery.channel_removed`,
 *   `delivery.not_removable`, `delivery.unanswered`
 */
export async function removeDelivery(
  context: Context,
  actor: Actor,
  { deliveryId }: { readonly deliveryId: string },
): Promise<void> {
  await inTransaction(context.db, async (tx) => {
    const [delivery] = await lockDeliveries(
      tx,
      sql`d.workspace_id = ${actor.workspaceId} and d.id = ${deliveryId}`,
    );
    if (!delivery) throw deliveryMissing();
    if (!REMOVABLE.includes(delivery.state)) throw badState(delivery.state, "be removed");
    await removeLocked(context, tx, { delivery, wishedBy: actor.tokenId });
  });
}

/** For a locked delivery in a state that may be removed. */
export async function removeLocked(
  { connectors }: Context,
  tx: Tx,
  { delivery, wishedBy }: { readonly delivery: PlannedDelivery; readonly wishedBy: string },
): Promise<void> {
  const { id, channelId, platform } = delivery;
  if (delivery.isChannelRemoved) throw channelRemoved();
  if (!connectors.get(platform)?.remove) {
    throw new AppError(
      "conflict",
      "delivery.not_removable",
      "This platform does not let programs take posts away. Do it by hand on the platform itself.",
    );
  }
  const { receipts, isUnanswered } = await proofOf(tx, id);
  if (isUnanswered) throw unanswered();
  // Without a receipt nobody knows what to take away.
  if (receipts === 0) throw badState(delivery.state, "be removed without a receipt");
  await wishRemoval(tx, { id, channelId, platform, wishedBy });
}
