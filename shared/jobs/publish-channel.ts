import { sql } from "kysely";
import { nextRunsFrom } from "../db/outbox.ts";
import type { Job } from "./job.ts";

/** Publishes what is due on one channel, in the order of the times, and settles what was left open there. */
export const publishChannel: Job = {
  name: "publish-channel",
  nextRuns: (db, channelIds) =>
    nextRunsFrom(
      db,
      "publish-channel",
      channelIds,
      (subject) => sql<Date | null>`
      (select greatest(min(d.next_at), c.wait_until)
         from deliveries d join channels c on c.id = d.channel_id
        where d.channel_id = ${subject} and d.next_at is not null
        group by c.wait_until)`,
    ),
};
