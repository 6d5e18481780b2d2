import type { Actor, Context } from "../context.ts";
import { inTransaction } from "../db/client.ts";
import { addEvents } from "../db/events.ts";
import { hideMedia, lockMedia, postsWithMedia } from "../db/media.ts";
import { AppError } from "../errors.ts";

/**
 * Takes an image away that no post shows.
 * @throws {AppError} not_found `media.missing`; conflict `media.in_use`
 */
export async function removeMedia(
  { db }: Context,
  { workspaceId }: Actor,
  mediaId: string,
): Promise<void> {
  await inTransaction(db, async (tx) => {
    const medium = await lockMedia(tx, workspaceId, mediaId);
    const [postId] = await postsWithMedia(tx, medium, 1);
    if (postId !== undefined) {
      throw new AppError(
        "conflict",
        "media.in_use",
        `The post ${postId} shows this image. Take it out of the post first.`,
      );
    }
    await hideMedia(tx, mediaId);
    await addEvents(tx, [{ workspaceId, type: "media.removed", subjectId: mediaId }]);
  });
}
