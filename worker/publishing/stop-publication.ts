import { renewChannel } from "../../shared/commands/on-channel.ts";
import { ConnectorError } from "../../shared/connectors/error.ts";
import { moveDelivery, type DueDelivery } from "../../shared/db/deliveries.ts";
import type { Work } from "../engine/handler.ts";
import { accessOf } from "./channel-access.ts";
import type { Publishing } from "./ledger.ts";
import { settleFailure } from "./settle-failure.ts";

/** The lease is about to end, or a hold has begun since the attempt was written: the next claim sees what is right. */
export async function standBack(
  work: Work,
  delivery: DueDelivery,
  attemptId: string,
): Promise<null> {
  await moveDelivery(work.context.db, {
    deliveryId: delivery.id,
    version: delivery.version,
    to: delivery.receipts.length > 0 ? "partial" : "scheduled",
    nextAt: delivery.now,
    error: delivery.error,
    tries: delivery.tries,
    looks: 0,
    answer: { attemptId, outcome: "not_sent" },
  });
  return null;
}

/**
 * Writes down why a publication goes no further, after renewing a sign-in that was refused where that helps.
 * @param attemptId the attempt that this answers; null where the commit point was not reached
 */
export async function stopPublication(
  work: Work,
  { breakers }: Publishing,
  delivery: DueDelivery,
  error: ConnectorError,
  attemptId: string | null = null,
): Promise<null> {
  // Asked to shut down before anything was sent: the next worker goes on from here, at once and without a penalty.
  if (attemptId === null && work.signal.aborted) return null;
  await breakers.reportSent(delivery, error);
  const renewal = error.kind === "reauthorize" ? await renewAfter(work, delivery, error) : error;
  if (renewal === "renewed") {
    await tryAgainAtOnce(work, delivery, error, attemptId);
  } else {
    await settleFailure(work, delivery, asEvidence(renewal, delivery, attemptId), attemptId);
  }
  return null;
}

/** "Posted before", said of a part that we have tried to post before, most likely means that it is out: it is looked for. */
function asEvidence(
  error: ConnectorError,
  delivery: DueDelivery,
  attemptId: string | null,
): ConnectorError {
  const isEvidence = error.kind === "duplicate" && attemptId !== null && delivery.wasAttempted;
  if (!isEvidence) return error;
  const { platformMessage, platformCode } = error;
  return new ConnectorError("unknown_outcome", { platformMessage, platformCode, cause: error });
}

/** Gets fresh credentials, once. @returns what stands in the way: a platform that cannot renew now has not refused */
async function renewAfter(
  work: Work,
  delivery: DueDelivery,
  error: ConnectorError,
): Promise<ConnectorError | "renewed"> {
  if (delivery.error?.kind === error.kind) return error;
  try {
    const signal = AbortSignal.timeout(work.context.config.commitTimeoutMs);
    return (await renewChannel(work.context, accessOf(delivery), signal)) ? "renewed" : error;
  } catch (renewalError) {
    return asConnectorError(work, delivery, renewalError, "bug");
  }
}

/** A refused sign-in had no effect, so this was no try. */
async function tryAgainAtOnce(
  work: Work,
  delivery: DueDelivery,
  { kind, platformMessage, platformCode }: ConnectorError,
  attemptId: string | null,
): Promise<void> {
  await moveDelivery(work.context.db, {
    deliveryId: delivery.id,
    version: delivery.version,
    to: delivery.receipts.length > 0 ? "partial" : "scheduled",
    nextAt: delivery.now,
    error: { kind, platformMessage, platformCode },
    tries: delivery.tries,
    looks: 0,
    answer: attemptId === null ? null : { attemptId, outcome: kind },
  });
}

/** A fault of our own is logged and becomes the given kind. */
export function asConnectorError(
  work: Work,
  delivery: DueDelivery,
  error: unknown,
  otherwise: "bug" | "unknown_outcome",
): ConnectorError {
  if (error instanceof ConnectorError) return error;
  work.context.log.error(
    { err: error, deliveryId: delivery.id },
    "publishing failed in our own code",
  );
  return new ConnectorError(otherwise, { cause: error });
}
