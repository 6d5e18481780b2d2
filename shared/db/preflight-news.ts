import { sql } from "kysely";
import { FORETOLD_MS } from "../domain/preflight.ts";
import type { Db } from "./client.ts";

/**
 * Looks for what has changed since the preflight looked last, and wakes it for the channels that it concerns. Nobody else wakes
 * it, so that planning, holding and judging platforms pay nothing for it. Any number may do this at once. Repeatable.
 * @param tzdb edition of the time zone database that this process uses
 */
export async function wakePreflight(db: Db, tzdb: string): Promise<void> {
  await noticeHolds(db);
  await noticeOutages(db);
  if (/^\d{4}[a-z]+$/.test(tzdb)) await noticeZoneRules(db, tzdb);
  await wakeChannels(db);
}

/** Also of a hold that ended by itself: nobody does anything then. */
async function noticeHolds(db: Db): Promise<void> {
  await sql`
    with news as (
      select h.id, h.workspace_id, h.channel_ids, s.now_is
        from holds h
       cross join lateral (
             select case when least(h.ended_at, h.ends_at) <= clock() then 'ended' else 'begun' end as now_is) s
       where h.preflight_saw is distinct from 'ended' and h.preflight_saw is distinct from s.now_is
         for update of h skip locked),
    seen as (
      update holds h set preflight_saw = n.now_is from news n where h.id = n.id),
    concerned as (
      select c.id from channels c
       where c.removed_at is null and exists (
             select 1 from news n where n.workspace_id = c.workspace_id
                and (n.channel_ids is null or c.id = any(n.channel_ids)))
       order by c.id for no key update of c)
    update channels c set preflight_at = clock() from concerned x where c.id = x.id`.execute(db);
}

async function noticeOutages(db: Db): Promise<void> {
  await sql`
    with news as (
      select platform, host, breaker <> 'closed' as is_out from platform_health
       where preflight_saw_out <> (breaker <> 'closed') for update skip locked),
    seen as (
      update platform_health h set preflight_saw_out = n.is_out
        from news n where h.platform = n.platform and h.host = n.host),
    concerned as (
      select c.id from channels c join news n on n.platform = c.platform and n.host = coalesce(c.host, '')
       where c.removed_at is null order by c.id for no key update of c)
    update channels c set preflight_at = clock() from concerned x where c.id = x.id`.execute(db);
}

/** So many plans a look, so that a new edition of the rules stops nothing else. */
const ZONE_RULES_LIMIT = 1_000;

/** Plans by newer rules than ours are left to the workers that know these. */
async function noticeZoneRules(db: Db, tzdb: string): Promise<void> {
  await sql`
    update deliveries d set preflight_at = clock()
      from (select id from deliveries
             where state = 'scheduled' and tzdb is not null and tzdb < ${tzdb}
               and (preflight_at is null or preflight_at > clock()) and due_at > clock()
             limit ${ZONE_RULES_LIMIT} for update skip locked) older
     where d.id = older.id`.execute(db);
}

async function wakeChannels(db: Db): Promise<void> {
  await sql`
    insert into outbox as o (job, lane, subject_id, run_at, revision)
    select 'preflight-channel', c.platform, c.id, least(c.preflight_at, due.at), 1
      from channels c
     cross join lateral (
           select min(d.preflight_at) as at from deliveries d
            where d.channel_id = c.id and d.preflight_at is not null) due
     where c.removed_at is null and least(c.preflight_at, due.at) <= clock()
       and not exists (select 1 from outbox known where known.job = 'preflight-channel'
                          and known.subject_id = c.id and (known.run_at <= clock() or known.stumbles > 0))
     order by c.id
    on conflict (job, subject_id) do update
      set run_at = least(o.run_at, excluded.run_at), revision = o.revision + 1,
          handed_at = case when excluded.run_at < o.run_at then null else o.handed_at end`.execute(
    db,
  );
}

/**
 * Plans looks at what news of the channel concerns, and forgets those at what has begun or ended: such deliveries are foretold
 * no more.
 */
export async function takeNews(db: Db, channelId: string): Promise<void> {
  await sql`
    with news as (
      update channels set preflight_at = null where id = ${channelId} and preflight_at <= clock() returning id),
    past as (
      update deliveries set preflight_at = null
       where channel_id = ${channelId} and preflight_at <= clock() and not (state = 'scheduled' and due_at > clock())),
    concerned as (
      select d.id from deliveries d join news n on n.id = d.channel_id
       where d.next_at is not null and d.state = 'scheduled' and d.due_at > clock()
         and d.due_at <= clock() + ${FORETOLD_MS} * interval '1 ms'
       order by d.id for no key update of d)
    update deliveries d set preflight_at = clock() from concerned x where d.id = x.id`.execute(db);
}
