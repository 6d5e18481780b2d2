import * as z from "zod";
import { BREAKER_STATES } from "../domain/outage.ts";
import { ReasonView } from "./delivery.ts";

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

const LIGHT_COUNTS = {
  green: z.int().describe("Will go out, as things stand."),
  amber: z.int().describe("May be late, or less than they should be."),
  red: z.int().describe("Will not go out unless somebody acts."),
  unchecked: z.int().describe("Not looked at yet."),
};

const ChannelForecast = z
  .object({
    channelId: z.uuid(),
    name: z.string(),
    platform: z.string(),
    ...LIGHT_COUNTS,
    reds: z
      .array(
        z.object({
          deliveryId: z.uuid(),
          dueAt: z.iso.datetime(),
          reasons: z.array(ReasonView),
        }),
      )
      .describe("The first ten of the red ones, and why."),
  })
  .meta({ id: "ChannelForecast" });

/** `GET /api/v1/status` */
export const StatusView = z
  .object({
    ok: z.boolean().describe("Whether, as things stand, the next 24 hours will be published."),
    at: z.iso.datetime(),
    next24Hours: z.object({
      deliveries: z.int(),
      atStake: z.int().describe("Of these, on channels that need a person."),
      ...LIGHT_COUNTS,
    }),
    channels: z.array(ChannelForecast).describe("Those on which something is due within 24 hours."),
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
    overdue: z
      .int()
      .describe("How many are late like that, and nothing works on them: look at the workers."),
    workers: z
      .object({ alive: z.int(), lastSeenAt: z.iso.datetime().nullable() })
      .describe("Of the whole installation, by the real clock. Without one, nothing goes out."),
    platforms: z.array(PlatformView).describe("Those that this workspace has channels on."),
    queue: z
      .object({
        mode: z.enum(["redis", "direct"]),
        isReachable: z.boolean().nullable().describe("Whether Redis answers; null in direct mode."),
        silentLanes: z
          .array(z.string())
          .describe("Jobs and platforms whose hints do not come through. Workers go on without."),
      })
      .describe("What the queue does decides nothing: without it, workers look into PostgreSQL."),
  })
  .meta({ id: "Status" });

export type StatusView = z.output<typeof StatusView>;
