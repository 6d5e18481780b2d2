import * as z from "zod";

/** An instant in a request. There was no year 0, and the database knows none. */
export const Instant = z.iso
  .datetime({ offset: true })
  .refine((text) => !text.startsWith("0000"), "is in a year that never was");

/** When a post is to go out. What the words mean is decided by `shared/domain/schedule.ts`. */
export const WhenInput = z
  .union([
    z.strictObject({
      local: z.string().max(40),
      zone: z.string().max(100),
      repeated: z
        .enum(["earlier", "later"])
        .optional()
        .describe(
          "Which one is meant where the clocks are put back over that hour; the earlier one if absent.",
        ),
    }),
    z.strictObject({ utc: z.string().max(40) }),
    // Last, as of the forms that are equally wrong the first one is explained.
    z.literal("now"),
  ])
  .describe('A wall clock with its IANA zone, an instant with an offset, or "now".');
