import { sql } from "kysely";
import type { Actor, Context } from "../context.ts";
import { clock, inTransaction, type Tx } from "../db/client.ts";
import { lockDeliveries, wakeChannels, type PlannedDelivery } from "../db/deliveries-plan.ts";
import {
  answerOpenAttempts,
  publishedParts,
  recordByPerson,
  settleDelivery,
  type OpenPart,
} from "../db/delivery-settlement.ts";
import { partsFor } from "../domain/content.ts";
import { parseEngagementSchedule } from "../domain/engagement-schedule.ts";
import { plusMinutes } from "../domain/delivery-plan.ts";
import { badState, deliveryMissing } from "./delivery-refusals.ts";
import { settleThread, type ThreadDecision } from "./settle-thread.ts";

/** What a person found on the channel. */
export type Finding =
  | { readonly outcome: "published"; readonly permalink: string; readonly remoteId: string }
  | { readonly outcome: "not_published"; readonly next: "send_again" | "drop" };

/**
 * Settles a delivery of unknown outcome by what a person saw, or a thread that is half out by what they decided. Of two people who do so at once, one wins.
 * @throws {AppError} not_found `delivery.missing`; conflict `delivery.bad_state`; and as `settleThread`
 */
export async function resolveDelivery(
  context: Context,
  actor: Actor,
  { deliveryId, word }: { readonly deliveryId: string; readonly word: Finding | ThreadDecision },
): Promise<void> {
  const { workspaceId } = actor;
  await inTransaction(context.db, async (tx) => {
    const [delivery] = await lockDeliveries(
      tx,
      sql`d.workspace_id = ${workspaceId} and d.id = ${deliveryId}`,
    );
    if (!delivery) throw deliveryMissing();
    if (!isFinding(word)) return settleThread(context, actor, { tx, delivery, decision: word });
    if (delivery.state !== "unknown") throw badState(delivery.state, "be settled by a person");
    const open = await publishedParts(tx, delivery.id);
    if (word.outcome === "not_published") {
      await notPublished(tx, workspaceId, { delivery, open, next: word.next });
      return;
    }
    const firstReadingMs = parseEngagementSchedule(context.config.engagementAfter)[0] ?? null;
    await published(tx, workspaceId, { delivery, open, finding: word, firstReadingMs });
  });
}

function isFinding(word: Finding | ThreadDecision): word is Finding {
  return word.outcome === "published" || word.outcome === "not_published";
}

interface Absence {
  readonly delivery: PlannedDelivery;
  readonly open: OpenPart;
  readonly next: "send_again" | "drop";
}

async function notPublished(
  tx: Tx,
  workspaceId: string,
  { delivery, open, next }: Absence,
): Promise<void> {
  const isPartlyOut = open.receipts > 0;
  await answerOpenAttempts(tx, delivery.id, "not_published");
  if (next === "drop") {
    // What is public already cannot be called cancelled: a person goes on with it or takes it away.
    const state = isPartlyOut ? "partial" : "cancelled";
    await settleDelivery(tx, workspaceId, { ...delivery, state, nextAt: null });
    return;
  }
  await sendOn(tx, workspaceId, delivery, isPartlyOut ? "partial" : "scheduled");
}

interface Presence {
  readonly delivery: PlannedDelivery;
  readonly open: OpenPart;
  readonly finding: Extract<Finding, { outcome: "published" }>;
  /** After publication; null for never. */
  readonly firstReadingMs: number | null;
}

async function published(
  tx: Tx,
  workspaceId: string,
  { delivery, open, finding, firstReadingMs }: Presence,
): Promise<void> {
  const { permalink, remoteId } = finding;
  await answerOpenAttempts(tx, delivery.id, "published");
  await recordByPerson(tx, { delivery, part: open.receipts, remoteId, permalink });
  const partCount = partsFor(open.parts, open.variant).length;
  if (open.receipts + 1 < partCount) {
    await sendOn(tx, workspaceId, delivery, "partial");
    return;
  }
  await settleDelivery(tx, workspaceId, {
    ...delivery,
    state: "published",
    nextAt: null,
    firstReadingMs,
  });
}

/** What is not out yet goes out now. `partial` is what keeps the parts that are out from being sent again. */
async function sendOn(
  tx: Tx,
  workspaceId: string,
  delivery: PlannedDelivery,
  state: "scheduled" | "partial",
): Promise<void> {
  const now = await clock(tx);
  const latestAt = plusMinutes(now, delivery.latestAfterMinutes);
  await settleDelivery(tx, workspaceId, { ...delivery, state, nextAt: now, latestAt });
  const { channelId, platform } = delivery;
  await wakeChannels(tx, [{ channelId, platform, at: now }]);
}
