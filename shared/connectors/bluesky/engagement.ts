import * as z from "zod";
import type { Engagement, Metric } from "../connector.ts";
import { appViewOf, type BlueskyCall } from "./credentials.ts";
import { xrpc } from "./xrpc.ts";

const Count = z.int().nonnegative().optional();

const PostViews = z.object({
  posts: z.array(
    z.object({
      uri: z.string(),
      likeCount: Count,
      replyCount: Count,
      repostCount: Count,
      quoteCount: Count,
      bookmarkCount: Count,
    }),
  ),
});

type PostView = z.infer<typeof PostViews>["posts"][number];

/** Counts of up to 25 posts, from the public AppView and without a sign-in. A deleted post is missing from its answer. */
export async function readEngagement(
  remoteIds: readonly string[],
  call: BlueskyCall,
): Promise<ReadonlyMap<string, Engagement>> {
  if (remoteIds.length === 0) return new Map();
  const { posts } = await xrpc(
    call,
    {
      base: appViewOf(call),
      method: "app.bsky.feed.getPosts",
      params: remoteIds.map((id) => ["uris", id] as const),
    },
    { schema: PostViews, meaning: { refused: "bug", lost: "unavailable" } },
  );
  return new Map(posts.map((post) => [post.uri, engagementOf(post)]));
}

function engagementOf(post: PostView): Engagement {
  const counts: readonly (readonly [Metric, number | undefined])[] = [
    ["likes", post.likeCount],
    ["replies", post.replyCount],
    ["reposts", post.repostCount],
    ["quotes", post.quoteCount],
    ["bookmarks", post.bookmarkCount],
  ];
  return Object.fromEntries(counts.filter(([, count]) => count !== undefined));
}
