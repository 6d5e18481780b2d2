import * as z from "zod";
import { appViewOf, type BlueskyCall } from "./credentials.ts";
import { xrpc } from "./xrpc.ts";

/**
 * Up to 25 posts as the public AppView shows them, without a sign-in. One that is deleted or hidden is missing from the
 * answer, and so is one that has not arrived there yet.
 * Source: lexicon app.bsky.feed.getPosts (read 2026-11-22)
 */
export async function readPosts<View extends { readonly uri: string }>(
  uris: readonly string[],
  schema: z.ZodType<View>,
  call: BlueskyCall,
): Promise<readonly View[]> {
  if (uris.length === 0) return [];
  const { posts } = await xrpc(
    call,
    {
      base: appViewOf(call),
      method: "app.bsky.feed.getPosts",
      params: uris.map((uri) => ["uris", uri] as const),
    },
    {
      schema: z.object({ posts: z.array(schema) }),
      meaning: { refused: "bug", lost: "unavailable" },
    },
  );
  return posts;
}
