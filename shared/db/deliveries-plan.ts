import { type RawBuilder, sql } from "kysely";
import type { DeliveryState } from "../domain/delivery.ts";
import { FORETOLD_MS, TOO_NEAR_MS } from "../domain/preflight.ts";
import type { Tx } from "./client.ts";
import { wake } from "./outbox.ts";

/** A delivery as planning sees it. */
export interface PlannedDelivery {
  readonly id: string;
  readonly postId: string;
  readonly channelId: string;
  readonly platform: string;
  readonly state: DeliveryState;
  readonly version: number;
  readonly contentHash: string;
  readonly dueAt: Date;
  readonly localTime: string | null;
  readonly zone: string | null;
  readonly tzdb: string | null;
  readonly latestAt: Date;
  /** Of its post. */
  readonly latestAfterMinutes: number;
  readonly isChannelRemoved: boolean;
  /** Somebody wants it gone, so nothing more of it may go out. */
  readonly isRemovalWished: boolean;
}

/** Locks the deliveries of a post that have not ended in nothing, by id. The caller holds the post's lock. */
export async function lockLiving(tx: Tx, postId: string): Promise<PlannedDelivery[]> {
  return lockDeliveries(tx, sql`d.post_id = ${postId} and d.state not in ('cancelled', 'removed')`);
}

/** @param where over `d`, the deliveries */
export async function lockDeliveries(
  tx: Tx,
  where: RawBuilder<unknown>,
  limit: number | null = null,
): Promise<PlannedDelivery[]> {
  const { rows } = await sql<PlannedDelivery>`
    select d.id, d.post_id, d.channel_id, d.platform, d.state, d.version, d.content_hash, d.due_at, d.local_time, d.zone,
           d.tzdb, d.latest_at, p.latest_after_minutes, c.removed_at is not null as is_channel_removed,
           d.removal_wished_at is not null as is_removal_wished
      from deliveries d join posts p on p.id = d.post_id join channels c on c.id = d.channel_id
     where ${where} order by d.id limit ${limit} for update of d`.execute(tx);
  return rows;
}

/** A delivery that is about to be stored; it begins as `scheduled`. */
export interface NewDelivery {
  readonly id: string;
  readonly postId: string;
  readonly channelId: string;
  readonly platform: string;
  readonly contentHash: string;
  readonly dueAt: Date;
  readonly localTime: string | null;
  readonly zone: string | null;
  readonly tzdb: string | null;
  readonly latestAt: Date;
}

/** Stores deliveries and tells of them, in one statement. Wake their channels afterwards. */
export async function insertDeliveries(
  tx: Tx,
  workspaceId: string,
  deliveries: readonly NewDelivery[],
): Promise<void> {
  if (deliveries.length === 0) return;
  await sql`
    with stored as (
      insert into deliveries (id, workspace_id, post_id, channel_id, platform, state, content_hash, due_at, local_time,
                              zone, tzdb, latest_at, next_at, preflight_at)
      select g.id, ${workspaceId}, g."postId", g."channelId", g.platform, 'scheduled', g."contentHash", g."dueAt",
             g."localTime", g.zone, g.tzdb, g."latestAt", g."dueAt", ${firstPreflightAt(sql`g."dueAt"`)}
        from jsonb_to_recordset(${JSON.stringify(deliveries)}::jsonb)
          as g(id uuid, "postId" uuid, "channelId" uuid, platform text, "contentHash" text, "dueAt" timestamptz,
               "localTime" text, zone text, tzdb text, "latestAt" timestamptz)
      returning id)
    insert into events (workspace_id, type, subject_id)
    select ${workspaceId}, 'delivery.scheduled', id from stored`.execute(tx);
}

/** When the preflight looks at a new plan; it wakes itself. Null where nobody could act on a warning any more. */
function firstPreflightAt(dueAt: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`case when ${dueAt} > clock() + ${TOO_NEAR_MS} * interval '1 ms'
                  then greatest(clock(), ${dueAt} - ${FORETOLD_MS} * interval '1 ms') end`;
}

/** A new plan for a delivery that exists. */
export interface Replan {
  readonly id: string;
  readonly version: number;
  readonly contentHash: string;
  readonly dueAt: Date;
  readonly localTime: string | null;
  readonly zone: string | null;
  readonly tzdb: string | null;
  readonly latestAt: Date;
}

/**
 * Gives deliveries a new time and a fresh start, whatever stopped them, and tells of them. What was prepared is kept where
 * the content is the same.
 * @returns how many were still at the given version
 */
export async function replanDeliveries(
  tx: Tx,
  workspaceId: string,
  replans: readonly Replan[],
  event: "delivery.moved" | "delivery.scheduled",
): Promise<number> {
  if (replans.length === 0) return 0;
  const { rows } = await sql<{ id: string }>`
    with moved as (
      update deliveries d
         set state = 'scheduled', version = d.version + 1, tries = 0, looks = 0, error = null,
             prepared = case when d.content_hash = g."contentHash" then d.prepared else '{}' end,
             content_hash = g."contentHash", due_at = g."dueAt", local_time = g."localTime", zone = g.zone, tzdb = g.tzdb,
             latest_at = g."latestAt", next_at = g."dueAt", preflight = null,
             preflight_at = ${firstPreflightAt(sql`g."dueAt"`)}, updated_at = clock()
        from jsonb_to_recordset(${JSON.stringify(replans)}::jsonb)
          as g(id uuid, version int, "contentHash" text, "dueAt" timestamptz, "localTime" text, zone text, tzdb text,
               "latestAt" timestamptz)
       where d.id = g.id and d.version = g.version
      returning d.id),
    told as (
      insert into events (workspace_id, type, subject_id) select ${workspaceId}, ${event}, id from moved)
    select id from moved`.execute(tx);
  return rows.length;
}

/** Other words, and perhaps another latest time, for deliveries that stay where they are. */
export async function resealDeliveries(
  tx: Tx,
  workspaceId: string,
  sealed: readonly Pick<Replan, "id" | "version" | "contentHash" | "latestAt">[],
): Promise<void> {
  if (sealed.length === 0) return;
  await sql`
    with changed as (
      update deliveries d
         set version = d.version + 1, latest_at = g."latestAt", content_hash = g."contentHash",
             prepared = case when d.content_hash = g."contentHash" then d.prepared else '{}' end,
             preflight_at = ${firstPreflightAt(sql`d.due_at`)}, updated_at = clock()
        from jsonb_to_recordset(${JSON.stringify(sealed)}::jsonb)
          as g(id uuid, version int, "contentHash" text, "latestAt" timestamptz)
       where d.id = g.id and d.version = g.version
      returning d.id)
    insert into events (workspace_id, type, subject_id)
    select ${workspaceId}, 'delivery.updated', id from changed`.execute(tx);
}

/**
 * Gives threads of which some parts are out a time for the rest; they stay `partial`, so that no part is sent twice. It counts as their
 * time from now on: a hold that had ended before it does not stop them.
 */
export async function goOnWithThreads(
  tx: Tx,
  workspaceId: string,
  threads: readonly Omit<Replan, "contentHash">[],
): Promise<void> {
  if (threads.length === 0) return;
  await sql`
    with moved as (
      update deliveries d
         set version = d.version + 1, tries = 0, looks = 0, error = null, due_at = g."dueAt", local_time = g."localTime",
             zone = g.zone, tzdb = g.tzdb, latest_at = g."latestAt", next_at = g."dueAt", updated_at = clock()
        from jsonb_to_recordset(${JSON.stringify(threads)}::jsonb)
          as g(id uuid, version int, "dueAt" timestamptz, "localTime" text, zone text, tzdb text, "latestAt" timestamptz)
       where d.id = g.id and d.version = g.version and d.removal_wished_at is null
      returning d.id)
    insert into events (workspace_id, type, subject_id)
    select ${workspaceId}, 'delivery.scheduled', id from moved`.execute(tx);
}

/** Ends deliveries of which nothing has left, for good. */
export async function cancelDeliveries(
  tx: Tx,
  workspaceId: string,
  cancelled: readonly Pick<PlannedDelivery, "id" | "version">[],
): Promise<void> {
  if (cancelled.length === 0) return;
  await sql`
    with moved as (
      update deliveries d
         set state = 'cancelled', version = d.version + 1, next_at = null, updated_at = clock()
        from jsonb_to_recordset(${JSON.stringify(cancelled)}::jsonb) as g(id uuid, version int)
       where d.id = g.id and d.version = g.version
      returning d.id)
    insert into events (workspace_id, type, subject_id)
    select ${workspaceId}, 'delivery.cancelled', id from moved`.execute(tx);
}

/** Asks the workers to look at the channels of these deliveries. Call it last in the transaction. */
export async function wakeChannels(
  tx: Tx,
  due: readonly { readonly channelId: string; readonly platform: string; readonly at: Date }[],
): Promise<void> {
  const first = new Map<string, (typeof due)[number]>();
  for (const one of due) {
    const known = first.get(one.channelId);
    if (!known || one.at < known.at) first.set(one.channelId, one);
  }
  await wake(
    tx,
    [...first.values()].map(({ channelId, platform, at }) => {
      return { job: "publish-channel", lane: platform, subjectId: channelId, runAt: at };
    }),
  );
}
