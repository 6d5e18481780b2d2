import { emptyParts } from "../checks/empty-parts.ts";
import type { Finding } from "../checks/finding.ts";
import type { Actor, Context } from "../context.ts";
import { normalizePost, type PostContent } from "../domain/post.ts";
import { findingsOf, loadKnown } from "./post-references.ts";

/**
 * Says what every rule says about a post. Stores nothing.
 * @throws {AppError} invalid `post.stray_variant`, `post.unknown_channel`, `post.unknown_media`
 */
export async function checkPost(
  context: Context,
  { workspaceId }: Actor,
  input: PostContent,
): Promise<readonly Finding[]> {
  const content = normalizePost(input);
  const references = await loadKnown(context.db, workspaceId, content);
  const ofPlatforms = findingsOf(context, content, references);
  return [...emptyParts(content), ...ofPlatforms];
}
