import { v7 as uuidv7 } from "uuid";
import { onChannel } from "../../shared/commands/on-channel.ts";
import type {
  ObservedLimit,
  OutgoingPart,
  PublishedPart,
} from "../../shared/connectors/connector.ts";
import { ConnectorError } from "../../shared/connectors/error.ts";
import { savePrepared, type DueDelivery, type StoredReceipt } from "../../shared/db/deliveries.ts";
import { parseEngagementSchedule } from "../../shared/domain/engagement-schedule.ts";
import type { Work } from "../engine/handler.ts";
import { accessOf, threadBefore } from "./channel-access.ts";
import { keepLateAnswer } from "./late-answer.ts";
import { heedLimits, waitForBudget } from "./limits.ts";
import { settleFailure } from "./settle-failure.ts";
import type { Publishing } from "./ledger.ts";
import { untilStored } from "./until-stored.ts";
import { asConnectorError, standBack, stopPublication } from "./stop-publication.ts";
import { outgoingParts, type PlannedPart } from "./outgoing-parts.ts";

/** Uploads may be repeated, so they get more time than the commit, whose end must be known soon. */
const PREPARE_TIMEOUT_MS = 120_000;

const REFUSAL_PAUSE_MS = 100;

/**
 * Publishes a claimed delivery, part by part, from the first one that has no receipt. Each crossing of the commit point is an
 * attempt of its own, written before it is made.
 */
export async function publishDelivery(
  work: Work,
  publishing: Publishing,
  delivery: DueDelivery,
): Promise<void> {
  const { parts, contentHash } = await outgoingParts(work.context, delivery);
  if (contentHash !== delivery.contentHash) {
    return settleFailure(work, delivery, changedSinceApproval(), null);
  }
  let current: DueDelivery = delivery;
  while (current.receipts.length < parts.length) {
    const planned = parts[current.receipts.length];
    if (!planned || work.signal.aborted) return;
    const next = await publishPart(work, publishing, current, planned, parts.length);
    if (!next) return;
    current = next;
  }
}

/** @returns the delivery as it stands after the part; null where it goes no further now */
async function publishPart(
  work: Work,
  publishing: Publishing,
  delivery: DueDelivery,
  planned: PlannedPart,
  partCount: number,
): Promise<DueDelivery | null> {
  const { ledger, fences, budgets, meters } = publishing;
  const index = delivery.receipts.length;
  const part: OutgoingPart = { ...planned, thread: threadBefore(delivery.receipts, index) };
  const prepared = await preparePart(work, delivery, part, index);
  if (prepared instanceof ConnectorError)
    return stopPublication(work, publishing, delivery, prepared);
  const allPrepared = { ...delivery.prepared, [index]: prepared };
  // Known already, so that no attempt is written that would not be made.
  if (!fences.isCurrent(delivery.holdFence)) return waitAfterRefusal();
  const exhausted = await budgets.take(delivery);
  if (exhausted) {
    meters.waitedForBudget(delivery.platform, exhausted.scope);
    return waitForBudget(work, delivery, exhausted);
  }

  const attemptId = uuidv7();
  const isArmed = await ledger.arm({
    attemptId,
    deliveryId: delivery.id,
    version: delivery.version,
    channelId: delivery.channelId,
    fence: work.lease.fence,
    holdFence: delivery.holdFence,
    part: index,
    contentHash: delivery.contentHash,
    idempotencyKey: part.idempotencyKey,
    prepared: allPrepared,
  });
  if (!isArmed) {
    budgets.giveBack(delivery);
    return waitAfterRefusal();
  }
  meters.armed(delivery, work.context.now());
  const armed = { ...delivery, version: delivery.version + 1, prepared: allPrepared };
  const limits: ObservedLimit[] = [];
  const crossing = { delivery: armed, part, prepared, limits };
  const published = await commitPart(work, publishing, crossing);
  meters.answered(delivery.platform, outcomeOf(published));
  if (published === "not_sent") {
    budgets.giveBack(delivery);
    return standBack(work, armed, attemptId);
  }
  if (published instanceof ConnectorError) {
    await stopPublication(work, publishing, armed, published, attemptId);
    await heedLimits(work, armed, limits);
    return null;
  }

  const answer = {
    attemptId,
    deliveryId: delivery.id,
    part: index,
    isLast: index === partCount - 1,
    ...published,
    contentHash: delivery.contentHash,
    knownBy: "answered" as const,
    firstReadingMs: parseEngagementSchedule(work.context.config.engagementAfter)[0] ?? null,
  };
  const version = await untilStored(() => ledger.recordPublished(answer));
  await publishing.breakers.reportSent(armed, null);
  await heedLimits(work, armed, limits);
  if (version === null) return keepLateAnswer(work, answer);
  const receipt: StoredReceipt = {
    part: index,
    ...published,
    publishedAt: isoOrNow(work, published),
  };
  const receipts = [...delivery.receipts, receipt];
  return { ...armed, version, receipts, wasAttempted: false };
}

function outcomeOf(published: PublishedPart | ConnectorError | "not_sent"): string {
  if (published === "not_sent") return published;
  return published instanceof ConnectorError ? published.kind : "published";
}

/** Somebody has moved the delivery, a hold has begun, or the lease is short of time: the next claim shows which, but not in a hot loop. */
async function waitAfterRefusal(): Promise<null> {
  await new Promise((resolve) => {
    setTimeout(resolve, REFUSAL_PAUSE_MS);
  });
  return null;
}

async function preparePart(
  work: Work,
  delivery: DueDelivery,
  part: OutgoingPart,
  index: number,
): Promise<unknown> {
  const prepared = await upload(work, delivery, part, index);
  // Uploads are worth keeping; without media there is nothing to lose, and arming stores it anyway. Where PostgreSQL is away, that is no
  // fault of the delivery: the next worker begins anew.
  if (part.media.length > 0 && !(prepared instanceof ConnectorError)) {
    await savePrepared(work.context.db, delivery, { ...delivery.prepared, [index]: prepared });
  }
  return prepared;
}

async function upload(
  work: Work,
  delivery: DueDelivery,
  part: OutgoingPart,
  index: number,
): Promise<unknown> {
  try {
    return await onChannel(
      work.context,
      accessOf(delivery),
      AbortSignal.any([work.signal, AbortSignal.timeout(PREPARE_TIMEOUT_MS)]),
      (connector, call) => {
        const stored = delivery.prepared[index];
        const previous = stored === undefined ? null : connector.prepared.parse(stored);
        return connector.prepare(part, previous, call);
      },
    );
  } catch (error) {
    return asConnectorError(work, delivery, error, "bug");
  }
}

/** What goes over the commit point. */
interface Crossing {
  readonly delivery: DueDelivery;
  readonly part: OutgoingPart;
  readonly prepared: unknown;
  /** Filled with what the answer says. */
  readonly limits: ObservedLimit[];
}

/** The one call that cannot be taken back. It is never repeated here: each crossing has an attempt of its own. */
async function commitPart(
  work: Work,
  { fences }: Publishing,
  { delivery, part, prepared, limits }: Crossing,
): Promise<PublishedPart | ConnectorError | "not_sent"> {
  const { context } = work;
  const signal = AbortSignal.timeout(context.config.commitTimeoutMs);
  let hasBegun = false;
  try {
    return await onChannel(
      context,
      accessOf(delivery),
      signal,
      async (connector, call): Promise<PublishedPart | "not_sent"> => {
        if (!work.isSurelyHeld() || !fences.isCurrent(delivery.holdFence)) return "not_sent";
        hasBegun = true;
        const observeLimit = (limit: ObservedLimit) => void limits.push(limit);
        return connector.commit(part, prepared, { ...call, observeLimit });
      },
      { isRepeatable: false },
    );
  } catch (error) {
    // A fault of our own after the call began says nothing about whether the post is out.
    return asConnectorError(work, delivery, error, hasBegun ? "unknown_outcome" : "bug");
  }
}

function changedSinceApproval(): ConnectorError {
  return new ConnectorError("bug", {
    platformMessage: "The content is not the one that was scheduled. Nothing was sent.",
  });
}

function isoOrNow(work: Work, published: PublishedPart): string {
  return (published.publishedAt ?? work.context.now()).toISOString();
}
