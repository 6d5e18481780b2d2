import * as z from "zod";
import { Instant } from "./when.ts";

const Metrics = z
  .record(z.string(), z.number())
  .describe("Totals since publication. A metric that was not reported is absent, never 0.");

export const DeliveryEngagementView = z.object({
  snapshots: z.array(z.object({ takenAt: z.iso.datetime(), metrics: Metrics })),
  error: z
    .string()
    .nullable()
    .describe("Kind of failure of the last reading, where this post alone could not be read."),
});

/** `GET /api/v1/engagement` */
export const EngagementQuery = z.object({
  from: Instant.optional().describe("Published at this instant or later."),
  to: Instant.optional().describe("Published before this instant."),
  groupBy: z.enum(["channel", "platform", "campaign", "label", "post"]).default("channel"),
});

export const EngagementView = z.object({
  groupBy: EngagementQuery.shape.groupBy,
  groups: z.array(
    z.object({
      key: z
        .string()
        .nullable()
        .describe("An id, a platform, a campaign or a label; null for posts without one."),
      deliveries: z.int().describe("Published ones."),
      measured: z.int().describe("Those of which at least one reading is there."),
      metrics: Metrics.describe("Sum of the newest reading of each delivery."),
    }),
  ),
});

export type DeliveryEngagementView = z.output<typeof DeliveryEngagementView>;
export type EngagementView = z.output<typeof EngagementView>;
