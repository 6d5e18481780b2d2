import { sql } from "kysely";
import { nextRunsFrom } from "../db/outbox.ts";
import type { Job } from "./job.ts";

/** Keeps one channel able to publish: renews its sign-in before it ends, and asks the platform about it every day. */
export const keepChannel: Job = {
  name: "keep-channel",
  atOnce: 8,
  nextRuns: (db, channelIds) =>
    nextRunsFrom(
      db,
      "keep-channel",
      channelIds,
      // A sign-in that needs a person is not renewed, only asked about.
      (subject) => sql<Date | null>`
      (select least(c.check_at, case when c.attention is null then c.renew_at end)
         from channels c where c.id = ${subject} and c.removed_at is null)`,
    ),
};
