import { sql } from "kysely";
import { nextRunsFrom } from "../db/outbox.ts";
import type { Job } from "./job.ts";

/** Reads how the published posts of one channel are doing, as many a request as the platform allows. */
export const readEngagement: Job = {
  name: "read-engagement",
  atOnce: 8,
  nextRuns: (db, channelIds) =>
    nextRunsFrom(
      db,
      "read-engagement",
      channelIds,
      (subject) => sql<Date | null>`
      (select min(d.engagement_at) from deliveries d
        where d.channel_id = ${subject} and d.engagement_at is not null)`,
    ),
};
