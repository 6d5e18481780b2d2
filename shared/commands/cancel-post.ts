import type { Actor, Context } from "../context.ts";
import { inTransaction, type Tx } from "../db/client.ts";
import { cancelDeliveries, lockLiving, type PlannedDelivery } from "../db/deliveries-plan.ts";
import { lockPost, savePostState } from "../db/posts.ts";
import { isEditable, isOut, refuseInFlight, refuseOut } from "../domain/delivery-plan.ts";
import { AppError } from "../errors.ts";
import { postMissing } from "./post-missing.ts";

export interface Cancelling {
  readonly postId: string;
  /** May refuse the version that is found. */
  readonly checkVersion?: (version: number) => void;
}

/**
 * Takes back a post's time on every channel where nothing has left: all of them or, where one is being published, none.
 * What is published stays as it is.
 * @returns the deliveries that were cancelled, as they were before
 * @throws {AppError} not_found `post.missing`; conflict `post.publishing`, `post.already_published`, `post.not_scheduled`
 */
export async function cancelPost(
  { db }: Context,
  { workspaceId }: Actor,
  { postId, checkVersion }: Cancelling,
): Promise<readonly PlannedDelivery[]> {
  return inTransaction(db, async (tx) => {
    const post = await lockPost(tx, workspaceId, postId);
    if (!post) throw postMissing();
    checkVersion?.(post.version);
    const living = await lockLiving(tx, post.id);
    const cancelled = await cancelEditable(tx, workspaceId, living);
    if (cancelled.length === 0) {
      refuseOut(living);
      throw new AppError(
        "conflict",
        "post.not_scheduled",
        "The post has no time that could be cancelled.",
      );
    }
    await savePostState(tx, post.id, living.some(isOut) ? "scheduled" : "draft");
    return cancelled;
  });
}

/** Cancels what can be; refuses all of it where something is in flight. */
export async function cancelEditable(
  tx: Tx,
  workspaceId: string,
  living: readonly PlannedDelivery[],
): Promise<readonly PlannedDelivery[]> {
  refuseInFlight(living);
  const editable = living.filter(isEditable);
  await cancelDeliveries(tx, workspaceId, editable);
  return editable;
}
