import { gzipSync } from "node:zlib";
import { weightedLength } from "../text.ts";
import {
  invalid,
  isObject,
  problem,
  readJson,
  unavailable,
  type Authorized,
  type Reply,
} from "./reply.ts";
import type { Account, StoredMedia, StoredPost, World } from "./world.ts";

const KNOWN_PROPERTIES = [
  "text",
  "media",
  "reply",
  "reply_settings",
  "poll",
  "quote_tweet_id",
  "community_id",
  "for_super_followers_only",
  "direct_message_deep_link",
  "geo",
  "nullcast",
  "card_uri",
  "edit_options",
  "made_with_ai",
  "paid_partnership",
  "share_with_followers",
];

const WINDOW_MS = 15 * 60_000;
const WINDOW_LIMIT = 100;
const DAY_MS = 24 * 60 * 60_000;
/** X does not say for how long it remembers a text. */
const DUPLICATE_WINDOW_MS = DAY_MS;

/** POST /2/tweets */
export function createPost(incoming: Authorized): Reply {
  const { world, account, take, springs } = incoming;
  const headers = rateLimitHeaders(world, account);
  if (world.enforcesRateLimits && account.window.used > WINDOW_LIMIT) return tooMany(headers);
  const fault = faultBefore(incoming);
  if (fault) return fault;
  const draft = readDraft(incoming);
  if ("refusal" in draft) return draft.refusal;
  const refused = refuse(incoming, draft);
  if (refused) return refused;
  const post = publish(incoming, draft);
  const { id, text } = post;
  if (springs("app_quota_spent")) Object.assign(headers, appQuotaHeaders(world));
  if (take("commit_unavailable_after_success")) return unavailable();
  if (take("commit_reset_after_success")) return { connection: "reset" };
  if (take("commit_hang_after_success")) return { connection: "hang" };
  if (take("commit_html_after_success")) return { html: 201 };
  if (springs("cut_off_after_success")) return { connection: "cut_off" };
  if (springs("garbled_after_success")) return garbled(headers);
  return { status: 201, body: { data: { id, text, edit_history_tweet_ids: [id] } }, headers };
}

/** DELETE /2/tweets/:id */
export function deletePost({ world, account }: Authorized, id: string): Reply {
  const post = world.postById.get(id);
  if (!post || post.removed) {
    return problem(404, "Not Found Error", `Could not find tweet with id: [${id}].`, {
      type: "https://api.twitter.com/2/problems/resource-not-found",
    });
  }
  if (post.author !== account) {
    return problem(403, "Forbidden", "You are not authorized to delete this Tweet.");
  }
  post.removed = true;
  return { status: 200, body: { data: { deleted: true } } };
}

interface Draft {
  readonly text: string;
  readonly media: readonly StoredMedia[];
  readonly parent: string | null;
}

function faultBefore({ world, body, take, springs }: Authorized): Reply | null {
  if (take("commit_reset_before")) return { connection: "reset" };
  if (take("commit_unavailable")) return unavailable();
  if (take("commit_rate_limited"))
    return tooMany(windowHeaders(0, world.now().getTime() + WINDOW_MS));
  if (springs("day_quota")) {
    const reset = Math.ceil((world.now().getTime() + DAY_MS) / 1000);
    return tooMany({
      ...windowHeaders(42, world.now().getTime() + WINDOW_MS),
      "x-user-limit-24hour-limit": "2400",
      "x-user-limit-24hour-remaining": "0",
      "x-user-limit-24hour-reset": String(reset),
    });
  }
  if (springs("credits_depleted")) {
    return problem(402, "CreditsDepleted", "Your enrolled account does not have any credits.");
  }
  if (springs("firewall")) return { html: 403 };
  if (springs("reply_gate")) {
    const rule = "you have not been mentioned or otherwise engaged by the author";
    return problem(403, "Forbidden", `Reply to this conversation is not allowed because ${rule}.`);
  }
  if (springs("parent_lags")) return parentInvisible();
  if (take("commit_content_rejected")) {
    return invalid("text", body.toString(), "The text of your post is not accepted.");
  }
  if (springs("text_quoted")) return invalid("text", "", `Not accepted: ${body.toString()}`);
  return null;
}

function readDraft(incoming: Authorized): Draft | { readonly refusal: Reply } {
  const json = readJson(incoming, KNOWN_PROPERTIES);
  if ("refusal" in json) return json;
  const { text = "", media: attached, reply } = json.value;
  if (typeof text !== "string")
    return { refusal: invalid("$.text", "", "$.text: string expected") };
  const media = readMedia(incoming, attached);
  if (media === null) {
    return { refusal: invalid("media.media_ids", "", "Your media IDs are invalid.") };
  }
  const parent = isObject(reply) ? reply["in_reply_to_tweet_id"] : null;
  if (reply !== undefined && typeof parent !== "string") {
    const message = "$.reply.in_reply_to_tweet_id: is missing but it is required";
    return { refusal: invalid("$.reply", "", message) };
  }
  return { text, media, parent: typeof parent === "string" ? parent : null };
}

/** Null where X would call an id invalid: foreign, expired, unfinished, repeated or badly mixed. */
function readMedia({ world, account }: Authorized, attached: unknown): StoredMedia[] | null {
  if (attached === undefined) return [];
  const ids: unknown = isObject(attached) ? attached["media_ids"] : undefined;
  if (!Array.isArray(ids) || ids.length < 1 || ids.length > 4) return null;
  const found: StoredMedia[] = [];
  for (const id of ids) {
    const media = typeof id === "string" ? world.media.get(id) : undefined;
    if (media?.owner !== account || media.state !== "succeeded") return null;
    if (media.expiresAt <= world.now().getTime() || found.includes(media)) return null;
    found.push(media);
  }
  const hasGif = found.some(({ category }) => category === "tweet_gif");
  return hasGif && found.length > 1 ? null : found;
}

function refuse({ world, account }: Authorized, draft: Draft): Reply | null {
  if (draft.text.trim() === "" && draft.media.length === 0) {
    return invalid("$", "", "$: one of text, media or poll is required");
  }
  if (weightedLength(draft.text) > 280) {
    return problem(403, "Forbidden", "Your Tweet text is too long.");
  }
  if (draft.parent !== null) {
    const parent = world.postById.get(draft.parent);
    if (!parent || parent.removed) return parentInvisible();
  }
  const postedAt = account.recentTexts.get(duplicateKey(draft.text));
  if (postedAt !== undefined && world.now().getTime() - postedAt < DUPLICATE_WINDOW_MS) {
    const detail = "You are not allowed to create a Tweet with duplicate content.";
    return problem(403, "Forbidden", detail);
  }
  return null;
}

function publish({ world, account }: Authorized, { text, media, parent }: Draft): StoredPost {
  const post: StoredPost = {
    id: world.nextId(),
    author: account,
    text,
    mediaIds: media.map(({ id }) => id),
    // As they are at this moment: what is added later is not shown.
    altTexts: media.map(({ altText }) => altText),
    parent,
    at: world.now(),
    removed: false,
    metrics: null,
  };
  world.posts.push(post);
  world.postById.set(post.id, post);
  account.posts.push(post);
  if (text !== "") account.recentTexts.set(duplicateKey(text), post.at.getTime());
  return post;
}

function duplicateKey(text: string): string {
  return text.normalize("NFC").trim();
}

function parentInvisible(): Reply {
  const detail = "You attempted to reply to a Tweet that is deleted or not visible to you.";
  return problem(403, "Forbidden", detail);
}

function tooMany(headers: Record<string, string>): Reply {
  return problem(429, "Too Many Requests", "Too Many Requests", { headers });
}

/** Claims to be compressed, and is not to the end. */
function garbled(headers: Record<string, string>): Reply {
  const body = gzipSync("{}").subarray(0, 12).toString("latin1");
  return { status: 201, body, headers: { ...headers, "content-encoding": "gzip" } };
}

/** Counts the request against the account's window, whether the limit is enforced or not. */
function rateLimitHeaders(world: World, account: Account): Record<string, string> {
  const now = world.now().getTime();
  if (now - account.window.startedAt >= WINDOW_MS) account.window = { startedAt: now, used: 0 };
  account.window.used += 1;
  const left = WINDOW_LIMIT - account.window.used;
  // Who does not hold back anybody does not say that nothing is left either.
  const told = world.enforcesRateLimits ? left : Math.max(1, left);
  return windowHeaders(told, account.window.startedAt + WINDOW_MS);
}

function appQuotaHeaders(world: World): Record<string, string> {
  return {
    "x-app-limit-24hour-limit": "10000",
    "x-app-limit-24hour-remaining": "0",
    "x-app-limit-24hour-reset": String(Math.ceil((world.now().getTime() + DAY_MS) / 1000)),
  };
}

function windowHeaders(remaining: number, resetMs: number): Record<string, string> {
  return {
    "x-rate-limit-limit": String(WINDOW_LIMIT),
    "x-rate-limit-remaining": String(Math.max(0, remaining)),
    "x-rate-limit-reset": String(Math.ceil(resetMs / 1000)),
  };
}
