import type { PublishedPart } from "../connector.ts";

/** First millisecond that an id can name. Source: https://github.com/client9/snowflake2time (read 2026-11-22). */
const EPOCH_MS = 1_288_834_974_657n;

/**
 * When a post was made, by X's clock, to the millisecond; null where the text is no id. Exact, because ids carry their
 * time in all but the lowest 22 bits, and needed because the answer to a new post names no time.
 */
export function timeOf(remoteId: string): Date | null {
  if (!isRemoteId(remoteId)) return null;
  return new Date(Number((BigInt(remoteId) >> 22n) + EPOCH_MS));
}

/** X refuses a whole batch for one id that it cannot read. */
export function isRemoteId(text: string): boolean {
  return /^[1-9]\d{0,18}$/.test(text);
}

/** The post that an address names, also where it goes on to a photo; null for another page. */
export function remoteIdIn(permalink: string): string | null {
  return /\/status(?:es)?\/([1-9]\d{0,18})(?:\/|$)/.exec(new URL(permalink).pathname)?.[1] ?? null;
}

/** A post as the rest of Postwell knows it. X finds a post by its id whatever the handle says, also after a rename. */
export function publishedPart(remoteId: string, handle: string | null): PublishedPart {
  const permalink = `https://x.com/${handle ?? "i"}/status/${remoteId}`;
  return { remoteId, permalink, publishedAt: timeOf(remoteId), reference: null };
}
