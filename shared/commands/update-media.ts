import type { Actor, Context } from "../context.ts";
import { inTransaction } from "../db/client.ts";
import { addEvents } from "../db/events.ts";
import { findMedia, postsWithMedia, setAltText } from "../db/media.ts";
import type { MediaRow } from "../db/tables.ts";
import { AppError } from "../errors.ts";
import { editPost } from "./edit-post.ts";

/**
 * Describes an image anew. Posts that show it are edited with it, because what goes out is part of what was agreed on.
 * @throws {AppError} not_found `media.missing`; conflict `media.in_use` where a post with it is out or on its way; invalid
 *   `post.does_not_fit` where the words are too long for a channel of such a post
 */
export async function updateMedia(
  context: Context,
  actor: Actor,
  { mediaId, altText }: { mediaId: string; altText: string },
): Promise<MediaRow> {
  const { workspaceId } = actor;
  return inTransaction(context.db, async (tx) => {
    const before = await findMedia(tx, workspaceId, mediaId);
    if (before.altText === altText) return before;
    await setAltText(tx, mediaId, altText);
    const inside = { ...context, db: tx };
    for (const postId of await postsWithMedia(tx, before, null))
      await resealPost(inside, actor, postId);
    await addEvents(tx, [{ workspaceId, type: "media.updated", subjectId: mediaId }]);
    return findMedia(tx, workspaceId, mediaId);
  });
}

async function resealPost(context: Context, actor: Actor, postId: string): Promise<void> {
  try {
    await editPost(context, actor, { postId, changes: {}, checkVersion: () => {} });
  } catch (error) {
    if (!(error instanceof AppError) || error.kind !== "conflict") throw error;
    const inUse = new AppError(
      "conflict",
      "media.in_use",
      `The post ${postId} is published with this image, or about to be. Upload the image again and describe that copy.`,
    );
    inUse.cause = error;
    throw inUse;
  }
}
