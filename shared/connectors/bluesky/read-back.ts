import * as z from "zod";
import type { SentPart, ShownPart } from "../connector.ts";
import type { BlueskyCall } from "./credentials.ts";
import { readPosts } from "./read-posts.ts";
import { StoredPost } from "./record.ts";
import { normalise } from "./text.ts";

const PostView = z.object({ uri: z.string(), record: StoredPost });

/**
 * Shows up to 25 posts as readers find them, not as the account's own server keeps them: a post that moderators hid is
 * missing although its record is there.
 */
export async function readBack(
  parts: readonly SentPart[],
  call: BlueskyCall,
): Promise<ReadonlyMap<string, ShownPart>> {
  const texts = new Map(parts.map(({ remoteId, text }) => [remoteId, normalise(text)]));
  const posts = await readPosts([...texts.keys()], PostView, call);
  return new Map(
    posts.map(({ uri, record }) => {
      const images = record.embed?.images ?? [];
      const hasSameText = normalise(record.text) === texts.get(uri);
      const altTexts = images.map(({ alt }) => alt);
      return [uri, { hasSameText, mediaCount: images.length, altTexts }];
    }),
  );
}
