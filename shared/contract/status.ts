import * as z from "zod";

const ChannelAtRisk = z.object({
  channelId: z.uuid(),
  name: z.string(),
  platform: z.string(),
  kind: z.string(),
  title: z.string(),
  deliveriesAtStake: z.int().describe("Due within 24 hours on this channel."),
});

/** `GET /api/v1/status` */
export const StatusView = z
  .object({
    ok: z.boolean().describe("Whether, as things stand, the next 24 hours will be published."),
    at: z.iso.datetime(),
    next24Hours: z.object({
      deliveries: z.int(),
      atStake: z.int().describe("Of these, on channels that need a person."),
    }),
    channelsNeedingAttention: z.array(ChannelAtRisk),
    waitingForPerson: z
      .object({
        failed: z.int(),
        unknown: z.int(),
        partial: z.int(),
        missed: z.int(),
        held: z.int(),
        expired: z.int(),
      })
      .describe("Deliveries that will not move by themselves."),
    oldestOverdue: z
      .object({ deliveryId: z.uuid(), dueAt: z.iso.datetime() })
      .nullable()
      .describe("Should have gone out and has not; null where nothing is late."),
    queue: z.object({ mode: z.enum(["redis", "direct"]) }),
  })
  .meta({ id: "Status" });

export type StatusView = z.output<typeof StatusView>;
