import { sql } from "kysely";
import { nextRunsFrom } from "../db/outbox.ts";
import type { Job } from "./job.ts";

/** Foretells whether what is planned on one channel will go out. */
export const preflightChannel: Job = {
  name: "preflight-channel",
  atOnce: 8,
  isLookedFor: true,
  nextRuns: (db, channelIds) =>
    nextRunsFrom(
      db,
      "preflight-channel",
      channelIds,
      (subject) => sql<Date | null>`
      (select least(c.preflight_at, (select min(d.preflight_at) from deliveries d
                                      where d.channel_id = c.id and d.preflight_at is not null))
         from channels c where c.id = ${subject} and c.removed_at is null)`,
    ),
};
