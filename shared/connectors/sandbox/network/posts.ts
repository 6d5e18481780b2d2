import * as z from "zod";
import type { Documents, HostedDocument } from "../../connector.ts";
import { countGraphemes } from "../../graphemes.ts";
import { LIMITS } from "../limits.ts";
import { Refusal } from "./answers.ts";
import { DocumentId, KINDS, postOf, type Post, type PostDocument } from "./documents.ts";
import { usePictures } from "./pictures.ts";

/** What a client sends to publish. It chooses the post's id: the same one again makes no second post. */
export const NewPost = z.strictObject({
  id: DocumentId,
  text: z.string(),
  link: z.url({ protocol: /^https?$/ }).nullable(),
  pictures: z
    .array(z.strictObject({ id: DocumentId, altText: z.string().max(LIMITS.altTextMax) }))
    .max(LIMITS.pictures),
  parent: DocumentId.nullable(),
});

export type NewPost = z.infer<typeof NewPost>;

/** How many posts a look at the newest ones reads. */
const RECENT_POSTS = 400;

/** The newest posts, oldest first. */
export async function recentPosts(documents: Documents): Promise<readonly Post[]> {
  const newest = await documents.list(KINDS.post, RECENT_POSTS);
  return newest.flatMap((found) => postOf(found) ?? []).reverse();
}

export async function findPost(documents: Documents, id: string): Promise<Post | null> {
  return DocumentId.safeParse(id).success ? postOf(await documents.find(id)) : null;
}

/**
 * Checks a post and stores it; where its id is stored already, gives that post.
 * @throws {Refusal} 422 `text_refused`, `picture_missing`; 404 `parent_missing`; 409 `id_taken`; 410 `removed`
 */
export async function storePost(
  documents: Documents,
  handle: string,
  { content, now }: { content: NewPost; now: Date },
): Promise<{ post: Post; isNew: boolean }> {
  const { id, ...said } = content;
  const before = await documents.find(id);
  if (before) return { post: repeated(before, { handle, ...said }), isNew: false };
  checkText(content);
  const root = said.parent === null ? null : await rootOf(documents, said.parent);
  const pictureIds = said.pictures.map((picture) => picture.id);
  await usePictures(documents, handle, pictureIds);
  const post: PostDocument = { ...said, handle, root, publishedAt: now.toISOString() };
  // Another process may have stored it since we looked.
  const kept = await documents.add(post, { kind: KINDS.post, id });
  return { post: repeated(kept, { handle, ...said }), isNew: kept.isNew };
}

/**
 * Takes a post and its pictures away; what is gone already is no error.
 * @throws {Refusal} 403 `not_yours`
 */
export async function removePost(documents: Documents, id: string, handle: string): Promise<void> {
  const post = await findPost(documents, id);
  if (!post) return;
  if (post.handle !== handle) throw new Refusal(403, "not_yours", "This post is not yours.");
  // The post first: without its pictures it would look broken, and they without it are seen by nobody. Its id stays, so
  // that a late repeat of the request that made it does not bring it back.
  await documents.change(id, { kind: KINDS.removed, document: {} });
  for (const picture of post.pictures) await documents.remove(picture.id);
}

type Said = Omit<NewPost, "id"> & Pick<Post, "handle">;

/** The post that is stored under an id, if the client means the same. */
function repeated(found: HostedDocument, said: Said): Post {
  if (found.kind === KINDS.removed) {
    throw new Refusal(410, "removed", "This post was published and removed since.");
  }
  const post = postOf(found);
  if (!post || wordsOf(post) !== wordsOf(said)) {
    throw new Refusal(409, "id_taken", "This id was used for something else.");
  }
  return post;
}

const wordsOf = ({ handle, text, link, pictures, parent }: Said) =>
  JSON.stringify([handle, text, link, pictures.map(({ id, altText }) => [id, altText]), parent]);

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
    Buffer.byteLength(text) > LIMITS.textMaxBytes || countGraphemes(text) > LIMITS.textMax;
  if (isLong) {
    throw new Refusal(422, "text_refused", `A text has at most ${LIMITS.textMax} characters.`);
  }
}
