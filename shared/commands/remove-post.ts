import type { Actor, Context } from "../context.ts";
import { inTransaction } from "../db/client.ts";
import { lockLiving } from "../db/deliveries-plan.ts";
import { addEvents } from "../db/events.ts";
import { lockPost, markRemoved } from "../db/posts.ts";
import { refuseOut } from "../domain/delivery-plan.ts";
import { cancelEditable } from "./cancel-post.ts";
import { postMissing } from "./post-missing.ts";

/**
 * Takes a post away that was never public, and cancels its deliveries. A published one stays: it is the record.
 * @param input.checkVersion may refuse the version that is found
 * @throws {AppError} not_found `post.missing`; conflict `post.publishing`, `post.already_published`
 */
export async function removePost(
  { db }: Context,
  { workspaceId }: Actor,
  { postId, checkVersion }: { postId: string; checkVersion: (version: number) => void },
): Promise<void> {
  await inTransaction(db, async (tx) => {
    const post = await lockPost(tx, workspaceId, postId);
    if (!post) throw postMissing();
    checkVersion(post.version);
    const living = await lockLiving(tx, post.id);
    refuseOut(living);
    await cancelEditable(tx, workspaceId, living);
    await markRemoved(tx, post.id);
    await addEvents(tx, [{ workspaceId, type: "post.removed", subjectId: post.id }]);
  });
}
