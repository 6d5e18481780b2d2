import { v7 as uuidv7 } from "uuid";
import type { Actor, Context } from "../context.ts";
import { findPostIdByExternalId, insertPost } from "../db/posts.ts";
import { normalizePost, postHash, type Post, type PostContent } from "../domain/post.ts";
import { AppError } from "../errors.ts";
import { loadReferences, refuseMisfits } from "./post-references.ts";

/**
 * Stores a new draft. What a platform of its channels would refuse is refused at once: a draft without channels may be anything.
 * @param input.externalId null for none; unique in the workspace
 * @throws {AppError} conflict `post.external_id_taken`; invalid `post.does_not_fit` and as `loadReferences`
 */
export async function createPost(
  context: Context,
  { workspaceId, tokenId }: Actor,
  input: PostContent & { readonly externalId: string | null },
): Promise<Post> {
  const { db } = context;
  const content = normalizePost(input);
  const references = await loadReferences(db, workspaceId, content);
  refuseMisfits(context, content, references);
  const contentHash = postHash(content, references.media);
  const post = { ...content, id: uuidv7(), state: "draft" as const, contentHash };
  const createdAt = await insertPost(db, { ...post, workspaceId, createdBy: tokenId });
  if (createdAt === null) {
    throw externalIdTaken(await findPostIdByExternalId(db, workspaceId, input.externalId));
  }
  const channelIds = content.channelIds.toSorted();
  return { ...post, channelIds, version: 1, createdAt, updatedAt: createdAt };
}

function externalIdTaken(existingId: string | null): AppError {
  const code = "post.external_id_taken";
  const detail = "There is a post with this external id already. Edit that one, or use another id.";
  const facts = { existingId };
  return new AppError("conflict", code, detail, [{ path: "externalId", code, detail, facts }]);
}
