import type { Capabilities } from "../capabilities.ts";

/** What the practice network takes. Both sides, connector and network, read it here, so they cannot disagree. */
export const LIMITS = {
  textMax: 500,
  textMaxBytes: 5_000,
  pictures: 4,
  pictureMaxBytes: 5_000_000,
  pictureTypes: ["image/jpeg", "image/png", "image/webp", "image/gif"],
  altTextMax: 1_000,
  readBatch: 50,
} as const;

export const capabilities: Capabilities = {
  text: {
    max: LIMITS.textMax,
    countedAs: "characters as people see them, an emoji counts as 1",
    maxBytes: LIMITS.textMaxBytes,
    linkLength: null,
  },
  media: {
    maxCount: LIMITS.pictures,
    maxBytesByType: Object.fromEntries(
      LIMITS.pictureTypes.map((type) => [type, LIMITS.pictureMaxBytes]),
    ),
    altTextMax: LIMITS.altTextMax,
  },
  showsLinkCard: true,
  threadMax: 25,
  engagement: {
    metrics: ["impressions", "likes", "replies", "reposts"],
    batch: LIMITS.readBatch,
  },
  idempotency: { class: "A", repeatableForMs: 3_600_000, visibilityLagMs: 0 },
  budgets: [],
};
