import * as z from "zod";
import type { HostedDocument } from "../../connector.ts";

/** What the network keeps. A picture is an `upload` until a post shows it, and a post leaves its id behind as `removed`. */
export const KINDS = {
  session: "session",
  upload: "upload",
  picture: "picture",
  post: "post",
  removed: "removed",
} as const;

/** A sign-in: who holds the secret may publish under the handle. The secret itself is not kept. */
export const SessionDocument = z.object({ handle: z.string(), secretHash: z.string() });

export const PictureDocument = z.object({
  handle: z.string(),
  contentType: z.string(),
  base64: z.string(),
});

/** One post. `root` is the first part of its thread, null when it is that part itself. */
export const PostDocument = z.object({
  handle: z.string(),
  text: z.string(),
  link: z.string().nullable(),
  pictures: z.array(z.object({ id: z.string(), altText: z.string() })),
  parent: z.string().nullable(),
  root: z.string().nullable(),
  publishedAt: z.iso.datetime(),
});

export type PostDocument = z.infer<typeof PostDocument>;

/** A post with the id under which it is stored, which is also its public id. */
export type Post = PostDocument & { readonly id: string };

/** Null where this is no post, or one that was removed. */
export function postOf(found: HostedDocument | null): Post | null {
  if (found?.kind !== KINDS.post) return null;
  const post = PostDocument.safeParse(found.document);
  return post.success ? { ...post.data, id: found.id } : null;
}

/** Whatever else stands in an address cannot be one of our ids and is never looked up. */
export const DocumentId = z.uuid().lowercase();
