import type { Capabilities } from "../capabilities.ts";

/**
 * Greatest size of an image in a post, in bytes. It is checked when the post is written, not at upload.
 * Source: lexicon app.bsky.embed.images (read 2026-11-22)
 */
export const MAX_IMAGE_BYTES = 2_000_000;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Text: 300 graphemes and 3000 UTF-8 bytes. Alt text: the limit of the official app, the record itself has none.
 * Threads have no limit of their own; 25 parts is ours. Budgets: 35,000 points a day and 5,000 an hour, counted as if
 * every post cost the 3 points of a creation.
 * Source: lexicon app.bsky.feed.post, https://docs.bsky.app/docs/advanced-guides/rate-limits (read 2026-11-22)
 */
export const capabilities: Capabilities = {
  text: {
    max: 300,
    countedAs: "characters, an emoji counts as one; at most 3000 bytes",
    maxBytes: 3000,
    linkLength: null,
  },
  media: {
    maxCount: 4,
    maxBytesByType: {
      "image/jpeg": MAX_IMAGE_BYTES,
      "image/png": MAX_IMAGE_BYTES,
      "image/webp": MAX_IMAGE_BYTES,
    },
    altTextMax: 2000,
  },
  showsLinkCard: true,
  threadMax: 25,
  engagement: { metrics: ["likes", "replies", "reposts", "quotes", "bookmarks"], batch: 25 },
  // The record key is ours and the record is stored whole, so the same write again changes nothing, whenever it comes.
  idempotency: { class: "A", repeatableForMs: 30 * DAY_MS, visibilityLagMs: 0 },
  budgets: [
    { scope: "channel", limit: 11_666, perMs: DAY_MS },
    { scope: "channel", limit: 1666, perMs: HOUR_MS },
  ],
};
