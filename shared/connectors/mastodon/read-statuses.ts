import * as z from "zod";
import type { MastodonCall } from "./access.ts";
import { refusal } from "./errors.ts";
import { ask, bodyOf } from "./request.ts";

/**
 * Posts by their ids, at most 20; those that the server does not show are left out. One request, or one a post on servers
 * that have no batches.
 * Source: https://docs.joinmastodon.org/methods/statuses/#index (read 2026-11-22)
 */
export async function readStatuses<Status extends { readonly id: string }>(
  ids: readonly string[],
  schema: z.ZodType<Status>,
  call: MastodonCall,
): Promise<readonly Status[]> {
  if (ids.length === 0) return [];
  const posts = (await readBatch(ids, schema, call)) ?? (await readEach(ids, schema, call));
  const wanted = new Set(ids);
  return posts.filter((post) => wanted.has(post.id));
}

/** Null where the server has no batches, as before 4.3. */
async function readBatch<Status>(
  ids: readonly string[],
  schema: z.ZodType<Status>,
  call: MastodonCall,
): Promise<Status[] | null> {
  const query = new URLSearchParams();
  for (const id of ids) query.append("id[]", id);
  const path = `/api/v1/statuses?${query.toString()}`;
  const answer = await ask(call, { method: "GET", path }, "read");
  const posts = z.array(schema).safeParse(answer.json);
  if (answer.status === 200 && posts.success) return posts.data;
  const hasFailed = [401, 403, 429].includes(answer.status) || answer.status >= 500;
  if (hasFailed) throw refusal(answer, "read", call.now());
  return null;
}

async function readEach<Status>(
  ids: readonly string[],
  schema: z.ZodType<Status>,
  call: MastodonCall,
): Promise<Status[]> {
  const posts: Status[] = [];
  for (const id of ids) {
    const path = `/api/v1/statuses/${encodeURIComponent(id)}`;
    const answer = await ask(call, { method: "GET", path }, "read");
    // Also in a proxy's words: one post that is gone must not hide the others.
    if (answer.status === 404 || answer.status === 410) continue;
    posts.push(bodyOf(answer, schema, { purpose: "read", now: call.now() }));
  }
  return posts;
}
