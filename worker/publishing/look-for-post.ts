import type { PublishedPart } from "../../shared/connectors/connector.ts";
import { ConnectorError } from "../../shared/connectors/error.ts";
import { connectorOf } from "../../shared/commands/channel-calls.ts";
import { onChannel } from "../../shared/commands/on-channel.ts";
import { moveDelivery, type DueDelivery, type OpenAttempt } from "../../shared/db/deliveries.ts";
import { parseEngagementSchedule } from "../../shared/domain/engagement-schedule.ts";
import {
  afterFailedLook,
  afterLookInVain,
  type LookRules,
} from "../../shared/domain/reconciliation.ts";
import { REPAIRS } from "../../shared/domain/repair.ts";
import type { Work } from "../engine/handler.ts";
import { accessOf, threadBefore } from "./channel-access.ts";
import type { Ledger, Publishing } from "./ledger.ts";
import { outgoingParts } from "./outgoing-parts.ts";

/** Reads only, so that a slow platform costs a look, not the post. */
const LOOK_TIMEOUT_MS = 20_000;

/** What else is due on the channel waits for a quick look. */
const QUICK_LOOK_TIMEOUT_MS = 3_000;

/** Asks the platform what became of an attempt whose answer was lost, and moves the delivery on. */
export async function lookForPost(
  work: Work,
  { ledger, breakers }: Publishing,
  delivery: DueDelivery,
): Promise<void> {
  const attempt = delivery.openAttempt;
  if (!attempt) return askPerson(work, delivery);
  const found = await look(work, delivery, attempt, LOOK_TIMEOUT_MS);
  await breakers.reportLook(delivery, found instanceof ConnectorError ? found : null);
  if (found instanceof ConnectorError) await lookLater(work, delivery, found);
  else if (found === null) await notFound(work, delivery, attempt);
  else await adopt(work, ledger, delivery, attempt, found);
}

/** Asks once whether the post is there already. Not to find it, or not to find out, says nothing and changes nothing. */
export async function adoptWhereFound(
  work: Work,
  { ledger }: Publishing,
  delivery: DueDelivery,
): Promise<void> {
  const attempt = delivery.openAttempt;
  if (!attempt) return;
  const found = await look(work, delivery, attempt, QUICK_LOOK_TIMEOUT_MS);
  if (found === null || found instanceof ConnectorError) return;
  await adopt(work, ledger, delivery, attempt, found);
}

async function look(
  work: Work,
  delivery: DueDelivery,
  attempt: OpenAttempt,
  timeoutMs: number,
): Promise<PublishedPart | null | ConnectorError> {
  const { parts } = await outgoingParts(work.context, delivery);
  const planned = parts[attempt.part];
  const prepared = delivery.prepared[attempt.part];
  if (!planned || prepared === undefined) return new ConnectorError("unknown_outcome");
  const part = { ...planned, thread: threadBefore(delivery.receipts, attempt.part) };
  const lost = { armedAt: new Date(attempt.firstArmedAt), prepared };
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    return await onChannel(work.context, accessOf(delivery), signal, (connector, call) =>
      connector.reconcile(part, lost, call),
    );
  } catch (error) {
    if (error instanceof ConnectorError) return error;
    throw error;
  }
}

async function adopt(
  work: Work,
  ledger: Ledger,
  delivery: DueDelivery,
  attempt: OpenAttempt,
  found: PublishedPart,
): Promise<void> {
  const { parts, contentHash } = await outgoingParts(work.context, delivery);
  const schedule = parseEngagementSchedule(work.context.config.engagementAfter);
  await ledger.recordPublished({
    attemptId: attempt.id,
    deliveryId: delivery.id,
    part: attempt.part,
    isLast: attempt.part === parts.length - 1,
    ...found,
    contentHash,
    knownBy: "reconciled",
    firstReadingMs: schedule[0] ?? null,
  });
}

async function notFound(work: Work, delivery: DueDelivery, attempt: OpenAttempt): Promise<void> {
  const { idempotency } = delivery.capabilities;
  const rules: LookRules = { ...idempotency, canProveAbsence: idempotency.class !== "E" };
  const { looks, now } = delivery;
  const armedAt = new Date(attempt.firstArmedAt);
  const next = afterLookInVain(
    { looks, armedAt, now, wasCalledDuplicate: wasCalledDuplicate(delivery) },
    rules,
  );
  if (next.next === "send_again") return resume(work, delivery, attempt);
  const again = next.next === "look_again" ? next : { at: null, looks };
  await moveDelivery(work.context.db, {
    deliveryId: delivery.id,
    version: delivery.version,
    to: "unknown",
    nextAt: again.at,
    error: wasCalledDuplicate(delivery) ? delivery.error : unknownError,
    tries: delivery.tries,
    looks: again.looks,
    answer: null,
  });
}

/** It is not there: the attempt is answered, and the part goes out anew as if it were its first try. */
async function resume(work: Work, delivery: DueDelivery, attempt: OpenAttempt): Promise<void> {
  await moveDelivery(work.context.db, {
    deliveryId: delivery.id,
    version: delivery.version,
    to: delivery.receipts.length > 0 ? "partial" : "scheduled",
    nextAt: delivery.now,
    error: null,
    tries: 0,
    looks: 0,
    answer: { attemptId: attempt.id, outcome: "not_published" },
  });
}

/** No attempt is without an answer, so there is nothing to ask the platform for: a hand has been in the tables. */
async function askPerson(work: Work, delivery: DueDelivery): Promise<void> {
  const { id: deliveryId, version } = delivery;
  const { state: to, error } = REPAIRS.attempt_missing;
  work.context.log.error({ deliveryId }, "a lost answer has no attempt");
  const stopped = { to, error, nextAt: null, tries: 0, looks: 0, answer: null };
  await moveDelivery(work.context.db, { deliveryId, version, ...stopped });
}

async function lookLater(work: Work, delivery: DueDelivery, error: ConnectorError): Promise<void> {
  const mayFindOut = error.kind !== "unknown_outcome";
  const nextAt = mayFindOut ? (error.until ?? afterFailedLook(delivery.tries, delivery.now)) : null;
  const connector = connectorOf(work.context, delivery.platform);
  work.context.log.warn(
    { deliveryId: delivery.id, platform: connector.id, kind: error.kind },
    "look for a lost answer failed",
  );
  await moveDelivery(work.context.db, {
    deliveryId: delivery.id,
    version: delivery.version,
    to: "unknown",
    nextAt,
    error: wasCalledDuplicate(delivery)
      ? delivery.error
      : { ...unknownError, platformMessage: error.platformMessage },
    tries: delivery.tries + 1,
    looks: delivery.looks,
    answer: null,
  });
}

/** The platform has told us that the post is there. This is kept, whatever the looks in between say. */
function wasCalledDuplicate({ error }: DueDelivery): boolean {
  return error?.kind === "duplicate";
}

const unknownError = {
  kind: "unknown_outcome",
  platformMessage: null,
  platformCode: null,
} as const;
