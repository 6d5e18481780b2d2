import type {
  DeliveryErrorView,
  DeliveryListItem,
  DeliverySummary,
  DeliveryView,
} from "../../shared/contract/delivery.ts";
import { explain, explainError, type Explanation } from "../../shared/domain/stop.ts";
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
  const explanation = explain(delivery.state, delivery.error);
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
    nextAt: delivery.nextAt?.toISOString() ?? null,
    publishedAt: delivery.publishedAt?.toISOString() ?? null,
    receipt: presentReceipt(delivery.receipts),
    readBack: delivery.readBack,
    error: explanation && presentExplanation(explanation),
  };
}

export function presentDelivery(delivery: DeliveryWithLedger): DeliveryView {
  return {
    ...presentListedDelivery(delivery),
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

function presentReceipt(receipts: readonly ListedReceipt[]): DeliveryView["receipt"] {
  const parts = receipts.map(({ part, remoteId, permalink, publishedAt, knownBy }) => {
    return { part, remoteId, permalink, publishedAt: new Date(publishedAt).toISOString(), knownBy };
  });
  const [first] = parts;
  if (!first) return null;
  const { remoteId, permalink, publishedAt } = first;
  return { remoteId, permalink, publishedAt, parts };
}

function presentExplanation(explanation: Explanation): DeliveryErrorView {
  const { kind, title, detail, platformMessage, nextStep } = explanation;
  return { kind, title, detail, platformMessage, nextStep };
}
