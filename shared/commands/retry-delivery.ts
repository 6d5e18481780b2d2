import { sql } from "kysely";
import type { Actor, Context } from "../context.ts";
import { clock, inTransaction } from "../db/client.ts";
import { lockDeliveries } from "../db/deliveries-plan.ts";
import { PERSON_MAY_RETRY } from "../domain/retry-plan.ts";
import { resolveWhen } from "../domain/schedule.ts";
import { badState, beingRemoved, channelRemoved, deliveryMissing } from "./delivery-refusals.ts";
import { retryLocked, type RetryTime } from "./retry-deliveries.ts";

/**
 * Gives one stopped delivery a new time. A thread of which some parts are out goes on where it stopped.
 * @throws {AppError} not_found `delivery.missing`; conflict `delivery.bad_state`, `delivery.channel_removed`,
 *   `delivery.being_removed`; invalid as `resolveWhen`
 */
export async function retryDelivery(
  { db }: Context,
  { workspaceId }: Actor,
  { deliveryId, ...time }: RetryTime & { readonly deliveryId: string },
): Promise<void> {
  await inTransaction(db, async (tx) => {
    const [delivery] = await lockDeliveries(
      tx,
      sql`d.workspace_id = ${workspaceId} and d.id = ${deliveryId}`,
    );
    if (!delivery) throw deliveryMissing();
    if (!PERSON_MAY_RETRY.includes(delivery.state)) throw badState(delivery.state, "be retried");
    if (delivery.isChannelRemoved) throw channelRemoved();
    if (delivery.isRemovalWished) throw beingRemoved();
    const moment = resolveWhen(time.at, await clock(tx));
    await retryLocked(tx, workspaceId, [delivery], { moment, ...time });
  });
}
