import { sql } from "kysely";
import { nextRunsFrom } from "../db/outbox.ts";
import type { Job } from "./job.ts";

/** Checks whether the published posts of one channel are still there, and as they were sent. */
export const checkReceipts: Job = {
  name: "check-receipts",
  atOnce: 8,
  nextRuns: (db, channelIds) =>
    nextRunsFrom(
      db,
      "check-receipts",
      channelIds,
      (subject) => sql<Date | null>`
      (select min(d.read_back_at) from deliveries d
        where d.channel_id = ${subject} and d.read_back_at is not null and d.state = 'published')`,
    ),
};
