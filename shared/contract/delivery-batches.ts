import * as z from "zod";
import { RETRYABLE } from "../domain/delivery.ts";
import { PERSON_MAY_RETRY } from "../domain/retry-plan.ts";
import { FailureKindName, retryTime } from "./delivery.ts";
import { Id } from "./ids.ts";
import { Instant } from "./when.ts";

/** `POST /api/v1/deliveries/retry`: what matches every given condition. */
export const RetryDeliveriesRequest = z.strictObject({
  ids: z.array(Id).min(1).max(1_000).optional(),
  state: z
    .union([z.enum(PERSON_MAY_RETRY), z.array(z.enum(PERSON_MAY_RETRY)).min(1)])
    .transform((states) => (typeof states === "string" ? [states] : states))
    .optional()
    .describe("`failed` where neither states nor ids are given."),
  channelId: Id.optional(),
  kind: FailureKindName.optional(),
  from: Instant.optional(),
  to: Instant.optional(),
  ...retryTime,
  gapMinutes: z
    .int()
    .min(0)
    .max(1_440)
    .default(0)
    .describe(
      "So far apart they go out on the same channel, in the order of their former times, the first one `at` that time. 0: all at once.",
    ),
});

export const RetryDeliveriesView = z.object({
  retried: z.int(),
  ids: z.array(z.uuid()),
  skipped: z.int(),
  skippedIds: z
    .array(z.uuid())
    .describe("Asked for by id, but unknown or in a state in which a retry makes no sense."),
  hasMore: z.boolean().describe("More match than one request retries: send it again."),
});

/** `POST /api/v1/deliveries/cancel`: what matches every given condition. Nothing is meant by saying nothing. */
export const CancelDeliveriesRequest = z
  .strictObject({
    ids: z.array(Id).min(1).max(1_000).optional(),
    state: z
      .union([z.enum(RETRYABLE), z.array(z.enum(RETRYABLE)).min(1)])
      .transform((states) => (typeof states === "string" ? [states] : states))
      .optional()
      .describe("Every state that waits for a person with nothing out, where only ids are given."),
    channelId: Id.optional(),
    kind: FailureKindName.optional(),
    from: Instant.optional().describe("Due at this instant or later."),
    to: Instant.optional().describe("Due before this instant."),
  })
  .refine(({ ids, state }) => ids !== undefined || state !== undefined, {
    message: "Say by ids or by state which deliveries are to be cancelled.",
    path: ["ids"],
  });

export const CancelDeliveriesView = z.object({
  cancelled: z.int(),
  ids: z.array(z.uuid()),
  skipped: z.int(),
  skippedIds: z
    .array(z.uuid())
    .describe("Asked for by id, but unknown or not waiting for a person with nothing out."),
  hasMore: z.boolean().describe("More match than one request cancels: send it again."),
});
