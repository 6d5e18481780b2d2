import * as z from "zod";

/**
 * What a platform, or one account on it, can do. Shared code and the web read this and never ask which platform it is.
 * Stored with each channel, hence a schema.
 */
export const Capabilities = z.object({
  text: z.object({
    /** In the unit that the connector's `measure` counts. */
    max: z.int().positive(),
    /** Plain words for people: "characters, a link counts as 23". */
    countedAs: z.string(),
    /** A second ceiling in UTF-8 bytes; null where there is none. */
    maxBytes: z.int().positive().nullable(),
    /** What every link counts as, whatever its length; null where a link counts as it is written. */
    linkLength: z.int().positive().nullable(),
  }),
  media: z.object({
    maxCount: z.int().nonnegative(),
    /** Content type to greatest size in bytes. A type that is not named is refused. */
    maxBytesByType: z.record(z.string(), z.int().positive()),
    /** In characters (UTF-16 units); null where alt text is not possible. */
    altTextMax: z.int().positive().nullable(),
  }),
  /**
   * Whether a part without media can show a link as a card that is no part of its text. Where not, the link of a post is
   * written into the text.
   */
  showsLinkCard: z.boolean(),
  /** Most parts in one post; 1 where there are no threads. */
  threadMax: z.int().positive(),
  engagement: z.object({
    /** What the platform can report at all. */
    metrics: z.array(z.string()),
    /** Most posts a request. */
    batch: z.int().positive(),
  }),
  idempotency: z.object({
    /** A own id, B key for a while, C observable in two phases, D refuses duplicates, E nothing. */
    class: z.enum(["A", "B", "C", "D", "E"]),
    /** How long after arming the very same commit may be sent again without harm; 0 for never. */
    repeatableForMs: z.int().nonnegative(),
    /** How long a published post may stay invisible to `reconcile`. */
    visibilityLagMs: z.int().nonnegative(),
  }),
  /** Published limits on posting, most binding first. Each part of a post costs one. */
  budgets: z.array(
    z.object({
      scope: z.enum(["channel", "app"]),
      limit: z.int().positive(),
      perMs: z.int().positive(),
      /** Present where a day's quota begins anew at midnight of a time zone; absent where any such span counts. */
      resetsAt: z.object({ zone: z.string() }).optional(),
    }),
  ),
});

export type Capabilities = z.infer<typeof Capabilities>;
