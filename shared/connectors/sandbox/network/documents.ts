import * as z from "zod";

/** A sign-in: who holds the secret may publish under the handle. The secret itself is not kept. */
export const SessionDocument = z.object({
  kind: z.literal("session"),
  handle: z.string(),
  secretHash: z.string(),
});

export const PictureDocument = z.object({
  kind: z.literal("picture"),
  handle: z.string(),
  contentType: z.string(),
  base64: z.string(),
});

/** One post. `root` is the first part of its thread, null when it is that part itself. */
export const PostDocument = z.object({
  kind: z.literal("post"),
  key: z.string(),
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

/** Ids are UUIDs; whatever else stands in an address cannot be one of ours and is never looked up. */
export const DocumentId = z.uuid();
