import { type RawBuilder, sql } from "kysely";
import type { Db } from "./client.ts";

/** A delivery that a worker should have looked at by now, and that nothing works on. */
export interface Overdue {
  readonly deliveryId: string;
  readonly channelId: string;
  readonly platform: string;
  readonly dueAt: Date;
  readonly lateSeconds: number;
}

/** A channel that is leased is being worked on; for this long that is believed. */
const BELIEVE_LEASE_MS = 10 * 60_000;

/** Of one channel at a time. */
const LIMIT = 200;

/**
 * What is overdue by PostgreSQL alone, whatever the queue and the workers say. A delivery that waits for its channel, for a person or
 * for a platform is not overdue; it is when nobody takes note of the end of that wait.
 * @param only over `d`, the deliveries
 */
function overdue(afterMs: number, only: RawBuilder<unknown> = sql`true`): RawBuilder<unknown> {
  return sql`
    select d.id as delivery_id, d.workspace_id, c.id as channel_id, c.platform, d.due_at, d.since,
           extract(epoch from clock() - d.since)::float8 as late_seconds
      from channels c join channel_waits w on w.channel_id = c.id
      left join outbox o on o.job = 'publish-channel' and o.subject_id = c.id
     cross join lateral (
           select d.id, d.workspace_id, d.due_at,
                  case when not w.is_waiting
                            then greatest(look_at(d.state, d.next_at, d.latest_at, c.attention is not null), w.until)
                       when d.state = 'scheduled' then greatest(d.next_at, d.latest_at)
                       when not w.is_out and d.state in ('unknown', 'sending') then d.next_at end as since
             from deliveries d
            where d.channel_id = c.id and d.next_at is not null
              and d.next_at <= clock() - ${afterMs} * interval '1 ms' and ${only}
            order by d.next_at, d.id limit ${LIMIT}) d
     where c.removed_at is null
       and d.since <= clock() - case when o.leased_until > now() then ${Math.max(afterMs, BELIEVE_LEASE_MS)}::float8
                                     else ${afterMs}::float8 end * interval '1 ms'`;
}

/**
 * Raises the alarm for what is overdue, once for each plan, however many look at the same time.
 * @returns those whose alarm was raised now
 */
export async function raiseOverdue(db: Db, afterMs: number): Promise<readonly Overdue[]> {
  const isNew = sql`not exists (select 1 from overdue_alarms a where a.delivery_id = d.id and a.due_at = d.due_at)`;
  const { rows } = await sql<Overdue>`
    with found as (${overdue(afterMs, isNew)}),
    raised as (
      insert into overdue_alarms (delivery_id, due_at) select delivery_id, due_at from found order by delivery_id
      on conflict do nothing returning delivery_id),
    told as (
      insert into events (workspace_id, type, subject_id)
      select workspace_id, 'delivery.overdue', delivery_id from found join raised using (delivery_id))
    select delivery_id, channel_id, platform, due_at, late_seconds from found join raised using (delivery_id)`.execute(
    db,
  );
  return rows;
}

export interface OverdueCount {
  readonly count: number;
  /** Null where there is none. */
  readonly oldest: Omit<Overdue, "channelId" | "platform"> | null;
}

/** How many are overdue now, and which the longest. @param workspaceId null for all workspaces */
export async function countOverdue(
  db: Db,
  afterMs: number,
  workspaceId: string | null,
): Promise<OverdueCount> {
  const only = workspaceId === null ? sql`true` : sql`d.workspace_id = ${workspaceId}`;
  const { rows } = await sql<Overdue & { count: number }>`
    select count(*) over () as count, delivery_id, due_at, late_seconds
      from (${overdue(afterMs, only)}) found order by since limit 1`.execute(db);
  const [row] = rows;
  if (!row) return { count: 0, oldest: null };
  const { count, deliveryId, dueAt, lateSeconds } = row;
  return { count, oldest: { deliveryId, dueAt, lateSeconds } };
}
