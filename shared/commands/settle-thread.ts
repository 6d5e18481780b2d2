import type { Actor, Context } from "../context.ts";
import { clock, type Tx } from "../db/client.ts";
import type { PlannedDelivery } from "../db/deliveries-plan.ts";
import { proofOf, settleDelivery } from "../db/delivery-settlement.ts";
import { parseEngagementSchedule } from "../domain/engagement-schedule.ts";
import { resolveWhen } from "../domain/schedule.ts";
import { badState, beingRemoved, channelRemoved, unanswered } from "./delivery-refusals.ts";
import { removeLocked } from "./remove-delivery.ts";
import { retryLocked, type RetryTime } from "./retry-deliveries.ts";

/** What is to become of a thread that is half out. */
export type ThreadDecision =
  | ({ readonly outcome: "go_on" } & RetryTime)
  | { readonly outcome: "stop_here" }
  | { readonly outcome: "remove" };

/**
 * Carries out what a person decided about a locked delivery.
 * @throws {AppError} conflict `delivery.bad_state`, `delivery.being_removed`, `delivery.channel_removed`,
 *   `delivery.not_removable`, `delivery.unanswered`; invalid as `resolveWhen`
 */
export async function settleThread(
  context: Context,
  { workspaceId, tokenId }: Actor,
  input: {
    readonly tx: Tx;
    readonly delivery: PlannedDelivery;
    readonly decision: ThreadDecision;
  },
): Promise<void> {
  const { tx, delivery, decision } = input;
  if (delivery.state !== "partial") throw badState(delivery.state, WANTED[decision.outcome]);
  if (decision.outcome === "remove") {
    return removeLocked(context, tx, { delivery, wishedBy: tokenId });
  }
  if (delivery.isRemovalWished) throw beingRemoved();
  if (decision.outcome === "go_on") {
    if (delivery.isChannelRemoved) throw channelRemoved();
    const moment = resolveWhen(decision.at, await clock(tx));
    const { latestAfterMinutes } = decision;
    return retryLocked(tx, workspaceId, [delivery], { moment, latestAfterMinutes });
  }
  const { receipts, isUnanswered } = await proofOf(tx, delivery.id);
  if (isUnanswered) throw unanswered();
  // Hand-edited: with nothing out there is nothing to leave as it is.
  if (receipts === 0) throw badState(delivery.state, "count as published without a receipt");
  await settleDelivery(tx, workspaceId, {
    ...delivery,
    state: "published",
    nextAt: null,
    firstReadingMs: parseEngagementSchedule(context.config.engagementAfter)[0] ?? null,
    isCutShort: true,
  });
}

const WANTED: Readonly<Record<ThreadDecision["outcome"], string>> = {
  go_on: "go on where it stopped",
  stop_here: "be left half out",
  remove: "be taken away as a thread that is half out",
};
