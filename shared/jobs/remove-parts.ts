import { sql } from "kysely";
import { nextRunsFrom } from "../db/outbox.ts";
import type { Job } from "./job.ts";

/**
 * Takes away what people want gone on one channel. Apart from publishing, so that neither a hold nor a channel that must wait
 * delays it.
 */
export const removeParts: Job = {
  name: "remove-parts",
  nextRuns: (db, channelIds) =>
    nextRunsFrom(
      db,
      "remove-parts",
      channelIds,
      (subject) => sql<Date | null>`
      (select min(d.remove_at) from deliveries d
        where d.channel_id = ${subject} and d.remove_at is not null)`,
    ),
};
