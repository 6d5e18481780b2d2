import * as z from "zod";
import type { LostAttempt, OutgoingPart, PublishedPart } from "../connector.ts";
import { ConnectorError } from "../error.ts";
import type { MastodonCall, Prepared } from "./access.ts";
import { accountId } from "./account.ts";
import { read } from "./request.ts";
import { isWrittenAs, looksLike } from "./same-text.ts";
import { ListedStatus, publishedPart } from "./status.ts";

/** How far the server's clock may be behind ours. */
const CLOCK_SKEW_MS = 2 * 60_000;

const PAGE = 40;
/** A thousand posts since one attempt: beyond that the server cannot tell. */
const MAX_PAGES = 25;
/** Requests for the text as it was sent; what is further down the list differs as HTML already. */
const MAX_SOURCES = 20;

/**
 * Looks for the part among the account's own posts: same parent, same number of images, same text, not older than the
 * attempt. Posts come back as HTML, so the best candidates' source decides where the server gives it.
 * Source: https://docs.joinmastodon.org/methods/accounts/#statuses (read 2026-11-22)
 */
export async function reconcile(
  part: OutgoingPart,
  { armedAt, prepared }: LostAttempt<Prepared>,
  call: MastodonCall,
): Promise<PublishedPart | null> {
  const since = new Date(armedAt.getTime() - CLOCK_SKEW_MS);
  const posts = await ownPostsSince(since, call);
  const candidates = posts.filter((post) => hasSameShape(post, part, prepared)).reverse();
  const looksSame = (post: ListedStatus) => looksLike(post.content, part.text);
  const likely = candidates.filter(looksSame);
  const others = candidates.filter((post) => !looksSame(post)).slice(0, MAX_SOURCES);
  for (const post of [...likely, ...others]) {
    const isSame = (await isWrittenAs(post.id, part.text, call)) ?? looksSame(post);
    if (isSame) return publishedPart(post);
  }
  return null;
}

/** Newest first. */
async function ownPostsSince(since: Date, call: MastodonCall): Promise<ListedStatus[]> {
  const id = encodeURIComponent(await accountId(call));
  const found: ListedStatus[] = [];
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const query = new URLSearchParams({ exclude_reblogs: "true", limit: String(PAGE) });
    const last = found.at(-1);
    if (last) query.set("max_id", last.id);
    const path = `/api/v1/accounts/${id}/statuses?${query.toString()}`;
    const page = await read(call, path, z.array(ListedStatus));
    const recent = page.filter((post) => new Date(post.created_at) >= since);
    found.push(...recent);
    // Pages may be short without being the last, as servers filter after they count.
    if (page.length === 0 || recent.length < page.length) return found.filter(isOwn);
  }
  throw new ConnectorError("unknown_outcome");
}

function isOwn(post: ListedStatus): boolean {
  return post.reblog === null || post.reblog === undefined;
}

function hasSameShape(post: ListedStatus, part: OutgoingPart, prepared: Prepared): boolean {
  const parent = part.thread?.parent.remoteId ?? null;
  if ((post.in_reply_to_id ?? null) !== parent) return false;
  if (post.media_attachments.length !== part.media.length) return false;
  if (part.text !== "") return true;
  // Without a text, only the uploads tell one post from another.
  const attached = new Set(post.media_attachments.map((attachment) => attachment.id));
  return prepared.media.every((upload) => attached.has(upload.remoteId));
}
