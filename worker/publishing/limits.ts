import { connectorOf, openCredentials } from "../../shared/commands/channel-calls.ts";
import type { ObservedLimit } from "../../shared/connectors/connector.ts";
import { letAppWait, letChannelWait, noteHost } from "../../shared/db/channel-waits.ts";
import { moveDelivery, type DueDelivery } from "../../shared/db/deliveries.ts";
import { toldTime } from "../../shared/domain/retry.ts";
import type { WaitReason } from "../../shared/domain/wait.ts";
import type { Exhausted } from "../budgets/budgets.ts";
import type { Work } from "../engine/handler.ts";
import { accessOf, whereOf } from "./channel-access.ts";

/**
 * Puts a delivery back until its budget is renewed. No try is used, and its place in the order is kept; past its latest time it is
 * missed like any other.
 */
export async function waitForBudget(
  work: Work,
  delivery: DueDelivery,
  { scope, until }: Exhausted,
): Promise<null> {
  const { db, log } = work.context;
  log.info({ deliveryId: delivery.id, scope, until }, "budget used up");
  // The wait first: were it second, a crash in between would let the next delivery ask again.
  await letWait(work, delivery, { scope, until, reason: `${scope}_budget` });
  await moveDelivery(db, {
    deliveryId: delivery.id,
    version: delivery.version,
    to: delivery.receipts.length > 0 ? "partial" : "scheduled",
    nextAt: delivery.dueAt,
    error: delivery.error,
    tries: delivery.tries,
    looks: 0,
    answer: null,
  });
  return null;
}

/** Believes what the platform says is left: where that is nothing, the next post is not even tried before it is renewed. */
export async function heedLimits(
  work: Work,
  delivery: DueDelivery,
  limits: readonly ObservedLimit[],
): Promise<void> {
  for (const { scope, remaining, until } of limits) {
    if (remaining > 0) continue;
    const told = toldTime(until, work.context.now());
    await letWait(work, delivery, { scope, until: told, reason: "platform_limit" });
  }
}

/** Finds out, once for a channel, which of its platform's servers it is on. */
export async function withHost(work: Work, delivery: DueDelivery): Promise<DueDelivery> {
  if (delivery.host !== null) return delivery;
  const { context } = work;
  const connector = connectorOf(context, delivery.platform);
  if (!connector.hostOf) return { ...delivery, host: "" };
  try {
    const credentials = openCredentials(context, connector, accessOf(delivery));
    const host = connector.hostOf(credentials, context.settings.get(connector.id));
    await noteHost(context.db, delivery.channelId, host);
    return { ...delivery, host };
  } catch (error) {
    // Publishing runs into the same wall, and says so where people see it.
    context.log.warn({ err: error, channelId: delivery.channelId }, "a channel's host is unknown");
    return delivery;
  }
}

/** Says for how long, and why, the channel, or all channels of our app there, publish nothing. */
function letWait(
  { context: { db } }: Work,
  delivery: DueDelivery,
  wait: { scope: "channel" | "app"; until: Date; reason: WaitReason },
): Promise<void> {
  const { scope, until, reason } = wait;
  return scope === "app"
    ? letAppWait(db, whereOf(delivery), until, reason)
    : letChannelWait(db, delivery.channelId, until, reason);
}
