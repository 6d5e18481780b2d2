import * as z from "zod";
import { isRemoteId } from "./remote-id.ts";

const Urls = z.object({
  urls: z
    .array(
      z.object({
        url: z.string().min(1),
        expanded_url: z.string().optional(),
        media_key: z.string().optional(),
      }),
    )
    .optional(),
});

/** The fields that tell what a post says, as a query names them. */
export const CONTENT_FIELDS = "text,entities,note_tweet,attachments";

/** A post that was asked for with `CONTENT_FIELDS`, and perhaps with `referenced_tweets`. */
export const Post = z.object({
  id: z.string().refine(isRemoteId),
  text: z.string(),
  entities: Urls.optional(),
  note_tweet: z.object({ text: z.string(), entities: Urls.optional() }).optional(),
  referenced_tweets: z.array(z.object({ type: z.string(), id: z.string() })).default([]),
  attachments: z.object({ media_keys: z.array(z.string()).default([]) }).optional(),
});

export type Post = z.infer<typeof Post>;

/** Keys of a post's media, in the author's order. */
export function mediaKeysOf({ attachments }: Post): readonly string[] {
  return attachments?.media_keys ?? [];
}
