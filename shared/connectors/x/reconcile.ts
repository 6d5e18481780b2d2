import * as z from "zod";
import type { LostAttempt, OutgoingPart, PublishedPart } from "../connector.ts";
import { ConnectorError } from "../error.ts";
import { userIdOf } from "./account.ts";
import { ask, type XCall } from "./api.ts";
import { READ } from "./errors.ts";
import type { Prepared } from "./media.ts";
import { CONTENT_FIELDS, mediaKeysOf, Post } from "./post.ts";
import { publishedPart, timeOf } from "./remote-id.ts";
import { fingerprint, returnedFingerprint } from "./text.ts";

/** X's clock and ours may differ by this much. */
const CLOCK_SKEW_MS = 2 * 60_000;

/** X shows the newest 3,200 posts of an account and no more: 32 pages of 100. */
const MAX_PAGES = 32;

const Page = z.object({
  data: z.array(Post).default([]),
  meta: z.object({ next_token: z.string().optional() }),
});

/**
 * Looks for the part among what the account has published since it was armed. X has no key to search by, so text, number of
 * media and parent must all be the same. Read-only; X charges for each post that it returns.
 */
export async function reconcile(
  part: OutgoingPart,
  attempt: LostAttempt<Prepared>,
  call: XCall,
): Promise<PublishedPart | null> {
  const userId = await userIdOf(call);
  const since = new Date(attempt.armedAt.getTime() - CLOCK_SKEW_MS);
  const wanted = { ...identity(part), since };
  let token: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const { data, meta } = await readPage(userId, { since, token }, call);
    const found = data.find((post) => isSame(post, wanted));
    if (found) return publishedPart(found.id, call.credentials.handle);
    token = meta.next_token;
    if (token === undefined) return null;
  }
  // Beyond what X shows: absence there would prove nothing.
  throw new ConnectorError("unknown_outcome", { platformCode: "timeline_too_long" });
}

async function readPage(
  userId: string,
  { since, token }: { since: Date; token: string | undefined },
  call: XCall,
): Promise<z.infer<typeof Page>> {
  const query = {
    max_results: 100,
    // To the second: X documents no fractions here. Rounded down, so that nothing is left out.
    start_time: `${since.toISOString().slice(0, 19)}Z`,
    "tweet.fields": `${CONTENT_FIELDS},created_at,referenced_tweets`,
    ...(token === undefined ? {} : { pagination_token: token }),
  };
  return ask(call, { purpose: READ, answer: Page }, (client) =>
    client.v2.get("users/:id/tweets", query, { params: { id: userId } }),
  );
}

interface Identity {
  readonly text: string;
  readonly mediaCount: number;
  readonly parent: string | null;
}

function identity(part: OutgoingPart): Identity {
  return {
    text: fingerprint(part.text),
    mediaCount: part.media.length,
    parent: part.thread?.parent.remoteId ?? null,
  };
}

function isSame(post: Post, wanted: Identity & { readonly since: Date }): boolean {
  const at = timeOf(post.id);
  const parent = post.referenced_tweets.find(({ type }) => type === "replied_to")?.id ?? null;
  const isOwnWords = post.referenced_tweets.every(({ type }) => type === "replied_to");
  return (
    at !== null &&
    at >= wanted.since &&
    isOwnWords &&
    parent === wanted.parent &&
    mediaKeysOf(post).length === wanted.mediaCount &&
    returnedFingerprint(post) === wanted.text
  );
}
