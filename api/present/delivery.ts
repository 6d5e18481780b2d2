import type {
  DeliveryErrorView,
  DeliveryListItem,
  DeliverySummary,
  DeliveryView,
} from "../../shared/contract/delivery.ts";
import { choicesFor, type RemovalProgress } from "../../shared/domain/choices.ts";
import type { Preflight, Reason } from "../../shared/domain/preflight.ts";
import { explainRemoval } from "../../shared/domain/removal.ts";
import { explain, explainError, type Explanation } from "../../shared/domain/stop.ts";
import { WAIT_REASONS } from "../../shared/domain/wait.ts";
import type {
  DeliveryWithLedger,
  ListedDelivery,
  ListedReceipt,
  PostDelivery,
} from "../../shared/queries/deliveries.ts";

export function presentDeliverySummary(delivery: Omit<PostDelivery, "postId">): DeliverySummary {
  const { id, channelId, state, dueAt } = delivery;
  return { id, channelId, state, dueAt: dueAt.toISOString() };
}

export function presentListedDelivery(delivery: ListedDelivery): DeliveryListItem {
  const nextAt = nextAtOf(delivery);
  const explanation = explain({ ...delivery, nextAt });
  return {
    id: delivery.id,
    postId: delivery.postId,
    channelId: delivery.channelId,
    platform: delivery.platform,
    state: delivery.state,
    version: delivery.version,
    dueAt: delivery.dueAt.toISOString(),
    local: delivery.localTime,
    zone: delivery.zone,
    latestAt: delivery.latestAt.toISOString(),
    nextAt: nextAt?.toISOString() ?? null,
    waiting: presentWaiting(delivery),
    publishedAt: delivery.publishedAt?.toISOString() ?? null,
    receipt: presentReceipt(delivery.receipts),
    isCutShort: delivery.isCutShort,
    removal: presentRemoval(delivery),
    readBack: delivery.readBack,
    preflight: delivery.preflight && presentPreflight(delivery.preflight),
    error: explanation && presentExplanation(explanation),
  };
}

/** @param canRemove whether its platform lets posts be taken away */
export function presentDelivery(
  delivery: DeliveryWithLedger,
  { canRemove }: { readonly canRemove: boolean },
): DeliveryView {
  const { state } = delivery;
  const choices = choicesFor({ state, removal: progressOf(delivery), canRemove });
  return {
    ...presentListedDelivery(delivery),
    choices: choices.map(({ action, title, risk }) => ({ action, title, risk })),
    attempts: delivery.attempts.map(({ part, armedAt, answeredAt, outcome, error }) => ({
      part,
      armedAt: armedAt.toISOString(),
      answeredAt: answeredAt?.toISOString() ?? null,
      outcome,
      error: error && presentExplanation(explainError(error)),
    })),
    readBacks: delivery.readBacks.map(({ takenAt, verdict, differences, reason }) => ({
      takenAt: takenAt.toISOString(),
      verdict,
      differences: differences.map(({ part, what }) => ({ part, what })),
      reason,
    })),
  };
}

/** A channel that must wait is not looked at before, whatever its deliveries say. */
function nextAtOf({ nextAt, waiting }: ListedDelivery): Date | null {
  const until = waiting && new Date(waiting.until);
  return nextAt && until && until > nextAt ? until : nextAt;
}

function presentWaiting({ waiting }: ListedDelivery): DeliveryListItem["waiting"] {
  if (!waiting) return null;
  const { title, detail } = WAIT_REASONS[waiting.reason];
  return { reason: waiting.reason, title, detail, until: new Date(waiting.until).toISOString() };
}

function presentPreflight(preflight: Preflight): NonNullable<DeliveryView["preflight"]> {
  const { light, reasons, checkedAt } = preflight;
  const presented = reasons.map(presentReason);
  return { light, reasons: presented, checkedAt: new Date(checkedAt).toISOString() };
}

export function presentReason({ code, light, title, nextStep }: Reason) {
  return { code, light, title, nextStep };
}

function presentReceipt(receipts: readonly ListedReceipt[]): DeliveryView["receipt"] {
  const parts = receipts.map(({ part, remoteId, permalink, knownBy, ...times }) => ({
    part,
    remoteId,
    permalink,
    publishedAt: new Date(times.publishedAt).toISOString(),
    removedAt: times.removedAt && new Date(times.removedAt).toISOString(),
    knownBy,
  }));
  const [first] = parts;
  if (!first) return null;
  const { remoteId, permalink, publishedAt } = first;
  return { remoteId, permalink, publishedAt, parts };
}

function presentRemoval(delivery: ListedDelivery): DeliveryListItem["removal"] {
  const { removalWishedAt, removeAt, removalError } = delivery;
  if (!removalWishedAt) return null;
  const explanation = removalError && explainRemoval(removalError, removeAt);
  return {
    wishedAt: removalWishedAt.toISOString(),
    nextAt: removeAt?.toISOString() ?? null,
    error: explanation && presentExplanation(explanation),
  };
}

function progressOf({ removalWishedAt, removeAt }: ListedDelivery): RemovalProgress {
  if (!removalWishedAt) return "none";
  return removeAt ? "under_way" : "waits_for_person";
}

function presentExplanation(explanation: Explanation): DeliveryErrorView {
  const { kind, title, detail, platformMessage, nextStep } = explanation;
  return { kind, title, detail, platformMessage, nextStep };
}
