import { sql } from "kysely";
import { nextRunsFrom } from "../db/outbox.ts";
import type { Job } from "./job.ts";

/**
 * Publishes what is due on one channel, in the order of the times, and settles what was left open there. While the channel must
 * wait, it is woken for what turns late meanwhile, and for looks, unless its platform does not answer.
 */
export const publishChannel: Job = {
  name: "publish-channel",
  nextRuns: (db, channelIds) =>
    nextRunsFrom(
      db,
      "publish-channel",
      channelIds,
      (subject) => sql<Date | null>`
      (select case when not w.is_waiting then first.at
                   else least(greatest(first.at, w.until, case when w.is_out then clock() + interval '1 s' end), other.at) end
         from channel_waits w join channels c on c.id = w.channel_id
        cross join lateral (
              -- In two, so that the index answers at once for a channel that is well, however long its plan.
              select case when c.attention is null
                then (select min(d.next_at) from deliveries d where d.channel_id = w.channel_id and d.next_at is not null)
                else (select min(look_at(d.state, d.next_at, d.latest_at, true))
                        from deliveries d where d.channel_id = w.channel_id and d.next_at is not null) end as at) first
        cross join lateral (
              -- Each by its index, however long the plan: what turns late next, and what is looked for.
              select least(
                (select greatest(d.next_at, d.latest_at + interval '1 ms') from deliveries d
                  where w.is_waiting and d.channel_id = w.channel_id and d.state = 'scheduled' and d.next_at is not null
                  order by d.latest_at limit 1),
                (select min(d.next_at) from deliveries d
                  where w.is_waiting and not w.is_out and d.channel_id = w.channel_id and d.next_at is not null
                    -- Nothing is looked for before its time: this only keeps the future plan out of the search.
                    and d.due_at <= clock() and d.state in ('unknown', 'sending'))) as at) other
        where w.channel_id = ${subject} and first.at is not null)`,
    ),
};
