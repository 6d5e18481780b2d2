import { letChannelWait } from "../../shared/db/channel-waits.ts";
import { moveDelivery, noteAbandoned, type DueDelivery } from "../../shared/db/deliveries.ts";
import { AFTER_CRASHES, afterAbandoned } from "../../shared/domain/crash.ts";
import type { Work } from "../engine/handler.ts";

/**
 * A worker ended with this delivery in hand. That may be its fault: it goes on at once the first time, alone the second time, and the
 * third time it waits for a person, while all others go on.
 * @returns whether it goes no further now
 */
export async function isLeftToRest(work: Work, delivery: DueDelivery): Promise<boolean> {
  const { db, log, now } = work.context;
  const { id: deliveryId, channelId, state, receipts } = delivery;
  const times = await noteAbandoned(db, deliveryId);
  const isPartlyOut = receipts.length > 0;
  const next = afterAbandoned(times, Math.random());
  if (next.is === "go_on") return false;
  log.error({ deliveryId, times, next: next.is }, "workers end while they work on this delivery");
  if (next.is === "stop") {
    // Nobody knows whether a request that was under way has arrived.
    const outcome = state === "sending" ? "unknown" : "stopped";
    const to = outcome === "unknown" ? "unknown" : isPartlyOut ? "partial" : "failed";
    await move(work, delivery, { to, nextAt: null, error: AFTER_CRASHES[outcome] });
    return true;
  }
  // A request that may be out is looked for first, and that needs no rest.
  if (state === "sending") return false;
  await letChannelWait(db, channelId, new Date(now().getTime() + next.forMs), "catching_up");
  const to = isPartlyOut ? "partial" : "scheduled";
  await move(work, delivery, { to, nextAt: delivery.now, error: delivery.error });
  return true;
}

async function move(
  { context }: Work,
  { id: deliveryId, version, tries }: DueDelivery,
  to: Pick<Parameters<typeof moveDelivery>[1], "to" | "nextAt" | "error">,
): Promise<void> {
  await moveDelivery(context.db, { deliveryId, version, ...to, tries, looks: 0, answer: null });
}
