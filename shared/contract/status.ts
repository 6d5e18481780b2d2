import * as z from "zod";
import { BREAKER_STATES } from "../domain/outage.ts";

const ChannelAtRisk = z.object({
  channelId: z.uuid(),
  name: z.string(),
  platform: z.string(),
  kind: z.string(),
  title: z.string(),
  deliveriesAtStake: z.int().describe("Due within 24 hours on this channel."),
});

const SignInEnding = z.object({
  channelId: z.uuid(),
  name: z.string(),
  platform: z.string(),
  signInEndsAt: z.iso.datetime(),
  deliveriesAtStake: z.int().describe("Due within 24 hours, but after that end."),
});

const PlatformView = z
  .object({
    platform: z.string(),
    host: z.string().nullable().describe("The server, where a platform is many; null elsewhere."),
    breaker: z
      .enum(BREAKER_STATES)
      .describe("`open`: it does not answer, so nothing is sent. `half_open`: one channel tries."),
    since: z.iso.datetime().nullable().describe("Null where it has never been away."),
    retryAt: z.iso.datetime().nullable().describe("When it is tried again; null while it answers."),
    appWaitsUntil: z.iso
      .datetime()
      .nullable()
      .describe("Until when a limit on all accounts together lets nothing out; null for none."),
    waitingDeliveries: z.int().describe("Their time has come, and they wait for it."),
  })
  .meta({ id: "PlatformHealth" });

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
    signInsEnding: z
      .array(SignInEnding)
      .describe("Sign-ins that end within a week, and that Postwell cannot renew."),
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
    platforms: z.array(PlatformView).describe("Those that this workspace has channels on."),
    queue: z.object({ mode: z.enum(["redis", "direct"]) }),
  })
  .meta({ id: "Status" });

export type StatusView = z.output<typeof StatusView>;
