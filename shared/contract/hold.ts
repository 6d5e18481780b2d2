import * as z from "zod";
import { hasVisible } from "../domain/post-limits.ts";
import { DeliveryStateName } from "./delivery.ts";
import { Id } from "./ids.ts";
import { Instant } from "./when.ts";

const HoldScope = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("workspace") }),
    z.strictObject({
      kind: z.literal("channels"),
      channelIds: z.array(Id).min(1).max(1_000),
    }),
    z.strictObject({ kind: z.literal("campaign"), campaign: z.string().trim().min(1).max(200) }),
    z.strictObject({ kind: z.literal("label"), label: z.string().trim().min(1).max(100) }),
  ])
  .describe("What stops. Everything of the workspace, or less.")
  .meta({ id: "HoldScope" });

/** `POST /api/v1/holds` */
export const StartHoldRequest = z.strictObject({
  scope: HoldScope,
  reason: z.string().trim().max(1_000).refine(hasVisible, "says nothing"),
  endsAt: Instant.nullable()
    .default(null)
    .describe("When it ends by itself; null for when a person ends it."),
});

export const HoldView = z
  .object({
    id: z.uuid(),
    scope: HoldScope,
    reason: z.string(),
    fence: z.int().describe("Grows with every hold."),
    active: z.boolean(),
    startedAt: z.iso.datetime(),
    endsAt: z.iso.datetime().nullable(),
    endedAt: z.iso.datetime().nullable(),
    held: z.int().describe("Deliveries in its scope that came due and wait for a person."),
    alreadySending: z
      .array(
        z.object({
          deliveryId: z.uuid(),
          postId: z.uuid(),
          channelId: z.uuid(),
          state: DeliveryStateName,
          permalink: z.string().nullable(),
        }),
      )
      .describe(
        "What had begun to go out before the hold: look at these, and remove them by hand if need be.",
      ),
    confirmed: z
      .boolean()
      .describe("Every running worker has confirmed the hold, or its right to publish has ended."),
  })
  .meta({ id: "Hold" });

export type HoldView = z.output<typeof HoldView>;
