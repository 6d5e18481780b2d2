import type { Capabilities } from "../capabilities.ts";

const MINUTE_MS = 60_000;

/** The image types that every combination of four allows. An animation takes a whole post for itself, hence no GIF. */
const IMAGE_TYPES = ["image/jpeg", "image/png", "image/webp"];

/** What one server allows; the rest is the same on all of them. */
export interface Limits {
  readonly maxCharacters: number;
  /** Null where links count by their length. */
  readonly linkLength: number | null;
  readonly maxImages: number;
  readonly imageTypes: readonly string[];
  readonly maxImageBytes: number;
  /** In characters. */
  readonly maxDescription: number;
}

/**
 * What a server has that nobody configured; `connect` reads the real ones, as servers differ.
 * Source: https://docs.joinmastodon.org/user/posting/ (read 2026-11-22)
 */
export const DEFAULT_LIMITS: Limits = {
  maxCharacters: 500,
  linkLength: 23,
  maxImages: 4,
  imageTypes: IMAGE_TYPES,
  maxImageBytes: 16 * 1024 * 1024,
  maxDescription: 1_500,
};

/**
 * Keys live for an hour, and 55 minutes leave time for the request itself. A batch is at most 20 posts.
 * Source: https://docs.joinmastodon.org/methods/statuses/ and https://docs.joinmastodon.org/api/rate-limits/ (read 2026-11-22);
 * batch and the 300 posts in three hours: https://github.com/mastodon/mastodon app/controllers/api (read 2026-11-22)
 */
export function capabilitiesOf(limits: Limits): Capabilities {
  const link = limits.linkLength === null ? "" : ` a link counts as ${limits.linkLength},`;
  return {
    text: {
      max: limits.maxCharacters,
      countedAs: `characters;${link} @name@server as @name`,
      maxBytes: null,
      linkLength: limits.linkLength,
    },
    media: {
      maxCount: limits.maxImages,
      maxBytesByType: Object.fromEntries(
        limits.imageTypes.map((type) => [type, limits.maxImageBytes]),
      ),
      altTextMax: limits.maxDescription,
    },
    showsLinkCard: false,
    threadMax: 25,
    engagement: { metrics: ["likes", "replies", "reposts", "quotes"], batch: 20 },
    idempotency: { class: "B", repeatableForMs: 55 * MINUTE_MS, visibilityLagMs: 5_000 },
    budgets: [
      { scope: "channel", limit: 300, perMs: 180 * MINUTE_MS },
      { scope: "channel", limit: 300, perMs: 5 * MINUTE_MS },
    ],
  };
}
