import type { CancelledPostView, ScheduledPostView } from "../../shared/contract/schedule.ts";
import type { Moment } from "../../shared/domain/schedule.ts";
import type { PostDelivery } from "../../shared/queries/deliveries.ts";
import type { PostWithDeliveries } from "../../shared/queries/posts.ts";
import { presentDeliverySummary } from "./delivery.ts";

export function presentScheduled(
  { post, deliveries }: PostWithDeliveries,
  { dueAt, localTime, zone, repeated }: Moment,
): ScheduledPostView {
  return {
    id: post.id,
    state: post.state,
    version: post.version,
    dueAt: dueAt.toISOString(),
    local: localTime,
    zone,
    ...(repeated && {
      repeated: { taken: repeated.taken, otherDueAt: repeated.other.toISOString() },
    }),
    deliveries: deliveries.map(presentDeliverySummary),
  };
}

/** @param cancelled as they were before */
export function presentCancelled(
  { post, deliveries }: PostWithDeliveries,
  cancelled: readonly Omit<PostDelivery, "postId">[],
): CancelledPostView {
  const ended = cancelled.map((delivery) => ({ ...delivery, state: "cancelled" as const }));
  return {
    id: post.id,
    state: post.state,
    version: post.version,
    deliveries: [...ended, ...deliveries].map(presentDeliverySummary),
  };
}
