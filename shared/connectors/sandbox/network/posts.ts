import * as z from "zod";
import type { Documents } from "../../connector.ts";
import { LIMITS } from "../limits.ts";
import { countCharacters } from "../text.ts";
import { Refusal } from "./answers.ts";
import { DocumentId, PostDocument, type Post } from "./documents.ts";
import { ownerOfPicture } from "./pictures.ts";

/** What a client sends to publish. `key` is its own id for the post: the same one again makes no second post. */
export const NewPost = z.strictObject({
  key: z.uuid(),
  text: z.string(),
  link: z.url({ protocol: /^https?$/ }).nullable(),
  pictures: z
    .array(z.strictObject({ id: DocumentId, altText: z.string().max(LIMITS.altTextMax) }))
    .max(LIMITS.pictures),
  parent: DocumentId.nullable(),
});

export type NewPost = z.infer<typeof NewPost>;

/** Documents of all kinds that a look at the newest posts reads. */
const RECENT_DOCUMENTS = 400;

/** The newest posts, oldest first. Where two processes stored one key at the same time, the first stands. */
export async function recentPosts(documents: Documents): Promise<readonly Post[]> {
  return (await lookBack(documents)).posts;
}

/** The same, with how far back they reach: null for the beginning. */
export async function lookBack(
  documents: Documents,
): Promise<{ posts: readonly Post[]; reachesTo: Date | null }> {
  const recent = await documents.list(RECENT_DOCUMENTS);
  const byKey = new Map<string, Post>();
  for (const { id, document } of recent) {
    const post = PostDocument.safeParse(document);
    if (!post.success) continue;
    const key = `${post.data.handle} ${post.data.key}`;
    if (!byKey.has(key)) byKey.set(key, { ...post.data, id });
  }
  const isCut = recent.length >= RECENT_DOCUMENTS;
  return { posts: [...byKey.values()], reachesTo: isCut ? (recent[0]?.addedAt ?? null) : null };
}

export async function findPost(documents: Documents, id: string): Promise<Post | null> {
  if (!DocumentId.safeParse(id).success) return null;
  const found = await documents.find(id);
  const post = PostDocument.safeParse(found?.document);
  return post.success ? { ...post.data, id } : null;
}

/**
 * Checks a post and stores it.
 * @throws {Refusal} 422 `text_refused`, `picture_missing`; 404 `parent_missing`
 */
export async function storePost(
  documents: Documents,
  handle: string,
  { content, now }: { content: NewPost; now: Date },
): Promise<Post> {
  checkText(content);
  for (const { id } of content.pictures) {
    if ((await ownerOfPicture(documents, id)) !== handle) {
      throw new Refusal(422, "picture_missing", "A picture of this post was not uploaded.");
    }
  }
  const root = content.parent === null ? null : await rootOf(documents, content.parent);
  const post = { kind: "post" as const, ...content, handle, root, publishedAt: now.toISOString() };
  return { ...post, id: await documents.add(post) };
}

/**
 * Takes a post and its pictures away; what is gone already is no error.
 * @throws {Refusal} 403 `not_yours`
 */
export async function removePost(documents: Documents, id: string, handle: string): Promise<void> {
  const post = await findPost(documents, id);
  if (!post) return;
  if (post.handle !== handle) throw new Refusal(403, "not_yours", "This post is not yours.");
  // The post first: a post without its pictures looks broken, pictures without a post are seen by nobody.
  await documents.remove(id);
  for (const picture of post.pictures) await documents.remove(picture.id);
}

async function rootOf(documents: Documents, parent: string): Promise<string> {
  const found = await findPost(documents, parent);
  if (!found) throw new Refusal(404, "parent_missing", "The post that this one answers is gone.");
  return found.root ?? found.id;
}

/** Half of a character, or a NUL: no database keeps these, and no reader sees them. */
const UNSTORABLE = /[\p{Surrogate}\0]/u;

function checkText({ text, pictures }: NewPost): void {
  if ([text, ...pictures.map(({ altText }) => altText)].some((each) => UNSTORABLE.test(each))) {
    throw new Refusal(422, "text_refused", "A text holds a character that cannot be stored.");
  }
  if (text.trim() === "" && pictures.length === 0) {
    throw new Refusal(422, "text_refused", "A post needs a text or a picture.");
  }
  const isLong =
    Buffer.byteLength(text) > LIMITS.textMaxBytes || countCharacters(text) > LIMITS.textMax;
  if (isLong) {
    throw new Refusal(422, "text_refused", `A text has at most ${LIMITS.textMax} characters.`);
  }
}
