import type { Actor, Context } from "../context.ts";
import { inTransaction } from "../db/client.ts";
import { cancelDeliveries as storeCancelled, lockDeliveries } from "../db/deliveries-plan.ts";
import { RETRYABLE } from "../domain/delivery.ts";
import { lockPostsOf, savePostsAfterCancel } from "../db/posts.ts";
import { AT_ONCE, matching, type DeliveryFilter } from "./delivery-filter.ts";

export interface Cancelled {
  readonly ids: readonly string[];
  /** Named by id, but not waiting for a person, or not to be found. */
  readonly skippedIds: readonly string[];
  /** There were more than one request cancels: ask again. */
  readonly hasMore: boolean;
}

/**
 * Ends deliveries that wait for a person and of which nothing is out; those of the same post on other channels stay as they are.
 * What is in another state is left alone, so that it may be repeated.
 */
export async function cancelStopped(
  { db }: Context,
  { workspaceId }: Actor,
  filter: DeliveryFilter,
): Promise<Cancelled> {
  const where = matching(workspaceId, filter, filter.states ?? RETRYABLE);
  return inTransaction(db, async (tx) => {
    // Posts before deliveries, like everybody who plans.
    await lockPostsOf(tx, where, AT_ONCE + 1);
    const found = await lockDeliveries(tx, where, AT_ONCE + 1);
    const taken = found.slice(0, AT_ONCE);
    await storeCancelled(tx, workspaceId, taken);
    await savePostsAfterCancel(tx, [...new Set(taken.map(({ postId }) => postId))]);
    const ids = taken.map(({ id }) => id);
    const skippedIds = (filter.ids ?? []).filter((id) => !ids.includes(id));
    return { ids, skippedIds, hasMore: found.length > AT_ONCE };
  });
}
