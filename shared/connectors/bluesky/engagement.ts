import * as z from "zod";
import type { Engagement, Metric } from "../connector.ts";
import type { BlueskyCall } from "./credentials.ts";
import { readPosts } from "./read-posts.ts";

const Count = z.int().nonnegative().optional();

const PostView = z.object({
  uri: z.string(),
  likeCount: Count,
  replyCount: Count,
  repostCount: Count,
  quoteCount: Count,
  bookmarkCount: Count,
});

type PostView = z.infer<typeof PostView>;

/** Counts of up to 25 posts. A deleted post is missing from the answer. */
export async function readEngagement(
  remoteIds: readonly string[],
  call: BlueskyCall,
): Promise<ReadonlyMap<string, Engagement>> {
  const posts = await readPosts(remoteIds, PostView, call);
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
