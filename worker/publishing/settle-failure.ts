import { ConnectorError } from "../../shared/connectors/error.ts";
import { flagChannel } from "../../shared/db/channel-health.ts";
import { letChannelWait } from "../../shared/db/channel-waits.ts";
import { moveDelivery, type DueDelivery } from "../../shared/db/deliveries.ts";
import { attentionFor } from "../../shared/domain/channel.ts";
import type { FailureKind } from "../../shared/domain/failure.ts";
import { firstLookAt } from "../../shared/domain/reconciliation.ts";
import { afterFailure } from "../../shared/domain/retry.ts";
import type { Work } from "../engine/handler.ts";
import { untilStored } from "./until-stored.ts";

/**
 * Writes down what a failed try means: for the delivery, and for its channel where every later post would fail alike.
 * @param attemptId the attempt that this answers; null where the commit point was not reached
 */
export async function settleFailure(
  work: Work,
  delivery: DueDelivery,
  error: ConnectorError,
  attemptId: string | null,
): Promise<void> {
  const { db, log } = work.context;
  const { idempotency } = delivery.capabilities;
  const now = work.context.now();
  const consequence = afterFailure({
    kind: error.kind,
    until: error.until,
    tries: delivery.tries,
    latestAt: delivery.latestAt,
    isPartlyOut: delivery.receipts.length > 0,
    isOwnFault: isOwnFault(delivery, error),
    now,
    firstLookAt: firstLookAt(now, { ...idempotency, canProveAbsence: true }),
    chance: Math.random(),
  });
  const { kind, platformMessage, platformCode } = error;
  log.warn(
    { deliveryId: delivery.id, kind, platformCode, state: consequence.state },
    "publication failed",
  );
  // The channel first: were it second, a crash in between would let the next delivery run into the same wall.
  if (consequence.channelWaitsUntil)
    await letChannelWait(db, delivery.channelId, consequence.channelWaitsUntil, "platform_limit");
  const attention = isOwnFault(delivery, error) ? null : attentionFor(error);
  if (attention) await flagChannel(db, delivery.channelId, attention, delivery.now);
  // An attempt of unknown outcome stays without an answer until somebody knows it.
  const isAnswer = attemptId !== null && consequence.state !== "unknown";
  const move = {
    deliveryId: delivery.id,
    version: delivery.version,
    to: consequence.state,
    nextAt: consequence.nextAt,
    error: { kind: reportedKind(error), platformMessage, platformCode },
    tries: consequence.tries,
    looks: 0,
    answer: isAnswer ? { attemptId, outcome: kind } : null,
  };
  await untilStored(() => moveDelivery(db, move));
}

/** The channel was put right in between, and the same post is refused again: others must not wait for it any longer. */
function isOwnFault(delivery: DueDelivery, { kind }: ConnectorError): boolean {
  return kind === "permission" && delivery.error?.kind === kind;
}

/** What the platform said, also where more was made of it. */
function reportedKind(error: ConnectorError): FailureKind {
  return error.cause instanceof ConnectorError ? error.cause.kind : error.kind;
}
