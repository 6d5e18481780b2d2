import * as z from "zod";
import type { Engagement } from "../connector.ts";
import { ask, type XCall } from "./api.ts";
import { READ } from "./errors.ts";
import { isRemoteId, timeOf } from "./remote-id.ts";

/**
 * Clicks are reported for thirty days; asked for on an older post, X leaves the whole post out of its answer. An hour less,
 * because X's clock decides.
 * Source: https://docs.x.com/x-api/fundamentals/metrics (read 2026-11-22)
 */
const PRIVATE_FOR_MS = 30 * 24 * 60 * 60_000 - 60 * 60_000;

const Count = z.int().nonnegative().optional().catch(undefined);

const Posts = z.object({
  data: z
    .array(
      z.object({
        id: z.string(),
        public_metrics: z
          .object({
            impression_count: Count,
            like_count: Count,
            reply_count: Count,
            retweet_count: Count,
            quote_count: Count,
            bookmark_count: Count,
          })
          .optional(),
        non_public_metrics: z
          .object({ url_link_clicks: Count, user_profile_clicks: Count })
          .optional(),
      }),
    )
    .default([]),
  /** Posts that X cannot show, and fields that it does not give: both are simply absent from `data`. */
  errors: z.array(z.unknown()).optional(),
});

type Post = z.infer<typeof Posts>["data"][number];

/** Totals since publication, for at most 100 posts; one request for the young ones, one for the others. */
export async function readEngagement(
  remoteIds: readonly string[],
  call: XCall,
): Promise<ReadonlyMap<string, Engagement>> {
  const now = call.now().getTime();
  const ids = remoteIds.filter(isRemoteId);
  const isYoung = (id: string): boolean => now - (timeOf(id)?.getTime() ?? 0) < PRIVATE_FOR_MS;
  const batches = [
    { ids: ids.filter(isYoung), fields: "public_metrics,non_public_metrics" },
    { ids: ids.filter((id) => !isYoung(id)), fields: "public_metrics" },
  ].filter((batch) => batch.ids.length > 0);
  const found = new Map<string, Engagement>();
  for (const batch of batches) {
    const { data } = await ask(call, { purpose: READ, answer: Posts }, (client) =>
      client.v2.tweets([...batch.ids], { "tweet.fields": batch.fields }),
    );
    for (const post of data) found.set(post.id, engagementOf(post));
  }
  return found;
}

function engagementOf({ public_metrics: seen, non_public_metrics: clicks }: Post): Engagement {
  const counts = {
    impressions: seen?.impression_count,
    likes: seen?.like_count,
    replies: seen?.reply_count,
    reposts: seen?.retweet_count,
    quotes: seen?.quote_count,
    bookmarks: seen?.bookmark_count,
    linkClicks: clicks?.url_link_clicks,
    profileClicks: clicks?.user_profile_clicks,
  };
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== undefined));
}
