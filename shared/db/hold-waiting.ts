import { sql } from "kysely";
import type { Db } from "./client.ts";
import { tellOfDeliveries } from "./notices.ts";

/**
 * Holds what came due during a hold on channels that must wait: nothing is claimed there, so no worker would find out before the
 * latest time. A thread that is half out stays what it is, and goes on no more. Repeatable, and safe in any number of workers.
 */
export async function holdWaiting(db: Db): Promise<void> {
  await sql`
    with due as (
      select d.id, d.version
        from (select distinct workspace_id from holds) held
        join channels c on c.workspace_id = held.workspace_id and c.removed_at is null
        join channel_waits w on w.channel_id = c.id and (w.is_waiting or c.attention is not null)
        join deliveries d on d.channel_id = c.id and d.next_at is not null and d.due_at <= clock()
         and d.next_at <= clock() and d.state in ('scheduled', 'partial')
        join posts p on p.id = d.post_id
       where is_held(d.workspace_id, d.channel_id, p.campaign, p.labels, d.due_at)
         and not exists (select 1 from attempts a left join attempt_outcomes o on o.attempt_id = a.id
                          where a.delivery_id = d.id and o.attempt_id is null)
       order by d.id for update of d skip locked),
    moved as (
      update deliveries d
         set state = case when d.state = 'scheduled' then 'held' else d.state end, next_at = null, error = null,
             tries = 0, looks = 0, version = d.version + 1, updated_at = clock()
        from due where d.id = due.id and d.version = due.version
      returning d.id, d.workspace_id, d.post_id, d.state, d.next_at, d.latest_at, d.error),
    told as (
      insert into events (workspace_id, type, subject_id)
      select workspace_id, 'delivery.' || state, id from moved),
    ${tellOfDeliveries("moved")}
    select 1`.execute(db);
}
