import * as z from "zod";
import type { Engagement, Metric } from "../connector.ts";
import type { MastodonCall } from "./access.ts";
import { refusal } from "./errors.ts";
import { ask, bodyOf } from "./request.ts";
import { CountedStatus } from "./status.ts";

/**
 * Counts as this server knows them: likes on other servers may not reach it. There are no impressions.
 * Source: https://docs.joinmastodon.org/methods/statuses/#index (read 2026-11-22)
 */
export async function readEngagement(
  remoteIds: readonly string[],
  call: MastodonCall,
): Promise<ReadonlyMap<string, Engagement>> {
  if (remoteIds.length === 0) return new Map();
  const posts = (await readBatch(remoteIds, call)) ?? (await readEach(remoteIds, call));
  const wanted = new Set(remoteIds);
  const found = posts.filter((post) => wanted.has(post.id));
  return new Map(found.map((post) => [post.id, engagementOf(post)]));
}

/** Null where the server has no batches, as before 4.3. */
async function readBatch(
  ids: readonly string[],
  call: MastodonCall,
): Promise<CountedStatus[] | null> {
  const query = new URLSearchParams();
  for (const id of ids) query.append("id[]", id);
  const path = `/api/v1/statuses?${query.toString()}`;
  const answer = await ask(call, { method: "GET", path }, "read");
  const posts = z.array(CountedStatus).safeParse(answer.json);
  if (answer.status === 200 && posts.success) return posts.data;
  const hasFailed = [401, 403, 429].includes(answer.status) || answer.status >= 500;
  if (hasFailed) throw refusal(answer, "read", call.now());
  return null;
}

async function readEach(ids: readonly string[], call: MastodonCall): Promise<CountedStatus[]> {
  const posts: CountedStatus[] = [];
  for (const id of ids) {
    const path = `/api/v1/statuses/${encodeURIComponent(id)}`;
    const answer = await ask(call, { method: "GET", path }, "read");
    // Also in a proxy's words: one post that is gone must not hide the numbers of the others.
    if (answer.status === 404 || answer.status === 410) continue;
    posts.push(bodyOf(answer, CountedStatus, { purpose: "read", now: call.now() }));
  }
  return posts;
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
