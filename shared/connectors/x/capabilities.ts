import type { Capabilities } from "../capabilities.ts";

const QUARTER_MS = 15 * 60_000;
const DAY_MS = 24 * 60 * 60_000;

/**
 * What an account on X can do, whatever it subscribes to: reports differ on whether posts above 280 may be made through the
 * API, and a text that is refused at its minute is worse than one that is refused at the desk. GIFs are left out because
 * X takes one alone or photos, never both. The 2,400 posts a day of an account are X's rule for all its users, whatever they
 * post with; the limit of unverified accounts, reported to be far lower, is not counted, as X does not say which they are.
 * Source: https://docs.x.com/fundamentals/counting-characters, https://docs.x.com/x-api/fundamentals/rate-limits and
 * https://docs.x.com/x-api/media/quickstart/best-practices (read 2026-11-22)
 */
export const CAPABILITIES: Capabilities = {
  text: {
    max: 280,
    countedAs: "characters, a link counts as 23, an emoji as 2",
    maxBytes: null,
    linkLength: 23,
  },
  media: {
    maxCount: 4,
    maxBytesByType: {
      "image/jpeg": 5_000_000,
      "image/png": 5_000_000,
      "image/webp": 5_000_000,
    },
    altTextMax: 1_000,
  },
  showsLinkCard: false,
  threadMax: 25,
  engagement: {
    metrics: [
      "impressions",
      "likes",
      "replies",
      "reposts",
      "quotes",
      "bookmarks",
      "linkClicks",
      "profileClicks",
    ],
    batch: 100,
  },
  idempotency: { class: "D", repeatableForMs: 0, visibilityLagMs: 10_000 },
  budgets: [
    { scope: "channel", limit: 100, perMs: QUARTER_MS },
    { scope: "channel", limit: 2_400, perMs: DAY_MS },
    { scope: "app", limit: 10_000, perMs: DAY_MS },
  ],
};
