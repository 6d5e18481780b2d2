import type { Engagement, Metric } from "../connector.ts";
import type { MastodonCall } from "./access.ts";
import { readStatuses } from "./read-statuses.ts";
import { CountedStatus } from "./status.ts";

/**
 * Counts as this server knows them: likes on other servers may not reach it. There are no impressions.
 * Source: https://docs.joinmastodon.org/entities/Status/ (read 2026-11-22)
 */
export async function readEngagement(
  remoteIds: readonly string[],
  call: MastodonCall,
): Promise<ReadonlyMap<string, Engagement>> {
  const posts = await readStatuses(remoteIds, CountedStatus, call);
  return new Map(posts.map((post) => [post.id, engagementOf(post)]));
}

function engagementOf(post: CountedStatus): Engagement {
  const counts: [Metric, number | undefined][] = [
    ["likes", post.favourites_count],
    ["replies", post.replies_count],
    ["reposts", post.reblogs_count],
    ["quotes", post.quotes_count],
  ];
  return Object.fromEntries(counts.filter(([, count]) => count !== undefined));
}
