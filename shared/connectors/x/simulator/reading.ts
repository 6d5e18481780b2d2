import { createHash } from "node:crypto";
import twitterText from "twitter-text";
import {
  invalid,
  problem,
  strangeParameter,
  unavailable,
  type Authorized,
  type Reply,
} from "./reply.ts";
import type { StoredPost } from "./world.ts";

const PRIVATE_FOR_MS = 30 * 24 * 60 * 60_000;

/** GET /2/users/:id/tweets: newest first, in pages. */
export function readTimeline(incoming: Authorized, userId: string): Reply {
  const { world, url, take, springs } = incoming;
  const names = ["max_results", "start_time", "pagination_token", "tweet.fields"];
  const strange = strangeParameter(incoming, names);
  if (strange) return strange;
  if (take("read_unavailable")) return unavailable();
  const author = [...world.accounts.values()].find(({ id }) => id === userId);
  if (!author) return problem(404, "Not Found Error", `Could not find user with id: [${userId}].`);
  const query = url.searchParams;
  const max = Number(query.get("max_results") ?? "10");
  if (!Number.isInteger(max) || max < 5 || max > 100) {
    return invalid(
      "max_results",
      max,
      `The max_results query parameter value [${max}] is not between 5 and 100`,
    );
  }
  const start = query.get("start_time");
  if (start !== null && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(start)) {
    return invalid("start_time", start, "The start_time query parameter value is not RFC 3339");
  }
  const since = start === null || springs("start_time_ignored") ? 0 : Date.parse(start);
  const all = author.posts.filter((post) => !post.removed && post.at.getTime() >= since).reverse();
  // The newest is what a lagging index does not have.
  const shown = take("read_lags") ? all.slice(1) : all;
  return page(
    shown,
    { max, offset: Number(query.get("pagination_token") ?? "0") },
    fieldsOf(query),
  );
}

/** GET /2/tweets?ids= */
export function readPosts(incoming: Authorized): Reply {
  const { world, account, url, take } = incoming;
  const names = ["ids", "tweet.fields", "expansions", "media.fields"];
  const strange = strangeParameter(incoming, names);
  if (strange) return strange;
  if (take("read_unavailable")) return unavailable();
  const ids = (url.searchParams.get("ids") ?? "").split(",");
  if (ids.length > 100 || !ids.every((id) => /^\d{1,19}$/.test(id))) {
    return invalid("ids", ids[0], "The ids query parameter is not 1 to 100 ids");
  }
  const fields = fieldsOf(url.searchParams);
  const isPartial = take("metrics_partial");
  const data: unknown[] = [];
  const errors: unknown[] = [];
  const media: unknown[] = [];
  const isThere = (id: string) => world.postById.get(id)?.removed === false;
  const newest = fields.has("text") ? ids.findLast(isThere) : undefined;
  for (const id of ids) {
    const stored = world.postById.get(id);
    const post = stored && id === newest ? tamperedWith(stored, take) : stored;
    if (!post || post.removed) {
      errors.push(notFound(id));
      continue;
    }
    const ageMs = world.now().getTime() - post.at.getTime();
    const isPrivate = post.author !== account || ageMs >= PRIVATE_FOR_MS;
    if (fields.has("non_public_metrics") && isPrivate) {
      // The whole post is missing, not only the field.
      errors.push(notAuthorized(id));
      continue;
    }
    data.push({ ...render(post, fields), ...metrics(post, fields, isPartial) });
    media.push(...includedMedia(post, url.searchParams));
  }
  const body = {
    ...(data.length > 0 ? { data } : {}),
    ...(media.length > 0 ? { includes: { media } } : {}),
    ...(errors.length > 0 ? { errors } : {}),
  };
  return { status: 200, body };
}

/** The media of a post as objects of their own; nothing where nobody asked for them. */
function includedMedia(post: StoredPost, query: URLSearchParams): unknown[] {
  if (query.get("expansions") !== "attachments.media_keys") return [];
  const isDescribed = query.get("media.fields") === "alt_text";
  return post.mediaIds.map((id, index) => {
    const altText = post.altTexts[index] ?? "";
    const described = isDescribed && altText !== "" ? { alt_text: altText } : {};
    return { media_key: mediaKey(id), type: "photo", ...described };
  });
}

/** A post as somebody else left it; undefined where it cannot be seen any more. */
function tamperedWith(post: StoredPost, take: Authorized["take"]): StoredPost | undefined {
  if (take("read_missing")) return undefined;
  const text = take("read_altered") ? `${post.text} Edited.` : post.text;
  const altTexts = take("read_without_alt") ? post.altTexts.map(() => "") : post.altTexts;
  return { ...post, text, altTexts };
}

function fieldsOf(query: URLSearchParams): Set<string> {
  return new Set((query.get("tweet.fields") ?? "").split(","));
}

function page(
  posts: readonly StoredPost[],
  { max, offset }: { max: number; offset: number },
  fields: ReadonlySet<string>,
): Reply {
  const shown = posts.slice(offset, offset + max);
  const next = offset + max < posts.length ? { next_token: String(offset + max) } : {};
  const meta = { result_count: shown.length, ...next };
  const data = shown.map((post) => render(post, fields));
  return { status: 200, body: { ...(data.length > 0 ? { data } : {}), meta } };
}

/** A post as X gives it back: short links, the media's own link at the end, HTML entities. */
function render(post: StoredPost, fields: ReadonlySet<string>): Record<string, unknown> {
  const { id, parent, mediaIds, at } = post;
  const { text, urls } = shorten(post);
  const shown: Record<string, unknown> = { id, text, edit_history_tweet_ids: [id] };
  if (fields.has("created_at")) shown["created_at"] = `${at.toISOString().slice(0, 19)}.000Z`;
  if (fields.has("entities") && urls.length > 0) shown["entities"] = { urls };
  if (fields.has("referenced_tweets") && parent !== null) {
    shown["referenced_tweets"] = [{ type: "replied_to", id: parent }];
  }
  if (fields.has("attachments") && mediaIds.length > 0) {
    shown["attachments"] = { media_keys: mediaIds.map(mediaKey) };
  }
  return shown;
}

function shorten(post: StoredPost): { text: string; urls: readonly Record<string, unknown>[] } {
  const urls: Record<string, unknown>[] = [];
  let text = "";
  let end = 0;
  for (const { url, indices } of twitterText.extractUrlsWithIndices(post.text)) {
    const short = shortLink(url);
    text += escapeHtml(post.text.slice(end, indices[0])) + short;
    end = indices[1];
    const expanded = /^https?:/i.test(url) ? url : `http://${url}`;
    urls.push({ url: short, expanded_url: expanded, display_url: url, unwound_url: expanded });
  }
  text += escapeHtml(post.text.slice(end));
  const short = shortLink(post.id);
  const address = `https://x.com/${post.author.handle}/status/${post.id}/photo/1`;
  for (const id of post.mediaIds) {
    urls.push({
      url: short,
      expanded_url: address,
      display_url: "pic.x.com/a",
      media_key: mediaKey(id),
    });
  }
  return { text: post.mediaIds.length > 0 ? `${text} ${short}`.trim() : text, urls };
}

function mediaKey(mediaId: string): string {
  return `3_${mediaId}`;
}

function shortLink(url: string): string {
  return `https://t.co/${createHash("sha256").update(url).digest("base64url").slice(0, 10)}`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** X counts these from the first moment, so they are 0 and not absent; the others may be absent. */
function metrics(
  post: StoredPost,
  fields: ReadonlySet<string>,
  isPartial: boolean,
): Record<string, unknown> {
  const counts = post.metrics ?? {};
  const shown: Record<string, unknown> = {};
  if (fields.has("public_metrics")) {
    shown["public_metrics"] = {
      retweet_count: counts.reposts ?? 0,
      like_count: counts.likes ?? 0,
      ...(isPartial ? {} : { reply_count: counts.replies ?? 0, quote_count: counts.quotes ?? 0 }),
      ...(isPartial
        ? {}
        : { bookmark_count: counts.bookmarks, impression_count: counts.impressions }),
    };
  }
  if (fields.has("non_public_metrics") && !isPartial) {
    const { linkClicks, profileClicks } = counts;
    shown["non_public_metrics"] = {
      url_link_clicks: linkClicks,
      user_profile_clicks: profileClicks,
    };
  }
  return shown;
}

function notFound(id: string): Record<string, string> {
  return {
    value: id,
    detail: `Could not find tweet with ids: [${id}].`,
    title: "Not Found Error",
    resource_type: "tweet",
    parameter: "ids",
    resource_id: id,
    type: "https://api.twitter.com/2/problems/resource-not-found",
  };
}

function notAuthorized(id: string): Record<string, string> {
  const field = "non_public_metrics.impression_count";
  return {
    resource_type: "tweet",
    field,
    parameter: "ids",
    resource_id: id,
    title: "Field Authorization Error",
    section: "data",
    detail: `Sorry, you are not authorized to access '${field}' on the Tweet with ids : [${id}].`,
    value: id,
    type: "https://api.twitter.com/2/problems/not-authorized-for-field",
  };
}
