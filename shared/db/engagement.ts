import { sql } from "kysely";
import type { FailureKind } from "../domain/failure.ts";
import type { Db } from "./client.ts";
import type { ChannelRow } from "./tables.ts";

/** Published deliveries of one channel whose engagement is to be read now. */
export interface DueReading {
  readonly channel: Pick<
    ChannelRow,
    "id" | "platform" | "capabilities" | "sealedCredentials" | "credentialsVersion"
  >;
  readonly deliveries: readonly {
    readonly deliveryId: string;
    readonly publishedAt: Date;
    /** Of all its parts, in order. */
    readonly remoteIds: readonly string[];
  }[];
  /** `clock()` of the same instant. */
  readonly now: Date;
}

/** At most this many deliveries are read before their snapshots are stored. */
const LIMIT = 100;

/** What is due on a channel, longest due first; null for nothing. */
export async function dueReadings(db: Db, channelId: string): Promise<DueReading | null> {
  const { rows } = await sql<{
    deliveryId: string;
    publishedAt: Date;
    remoteIds: string[];
    now: Date;
  }>`
    select d.id as delivery_id, d.published_at, clock() as now,
           (select array_agg(r.remote_id order by r.part) from receipts r where r.delivery_id = d.id) as remote_ids
      from deliveries d
     where d.channel_id = ${channelId} and d.engagement_at is not null and d.engagement_at <= clock()
     order by d.engagement_at limit ${LIMIT}`.execute(db);
  const first = rows[0];
  if (!first) return null;
  const channel = await db
    .selectFrom("channels")
    .select(["id", "platform", "capabilities", "sealedCredentials", "credentialsVersion"])
    .where("id", "=", channelId)
    .executeTakeFirstOrThrow();
  return { channel, deliveries: rows, now: first.now };
}

export interface Reading {
  readonly deliveryId: string;
  /** Null where the platform did not name the post: then there is no snapshot. */
  readonly metrics: Readonly<Record<string, number>> | null;
  readonly nextAt: Date | null;
  /** Why this post could not be read, where it alone is to blame; null for read. */
  readonly error: FailureKind | null;
}

/** Adds snapshots and plans the next readings. */
export async function recordReadings(db: Db, readings: readonly Reading[]): Promise<void> {
  await sql`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(readings)}::jsonb)
        as g("deliveryId" uuid, metrics jsonb, "nextAt" timestamptz, error text)),
    taken as (
      insert into snapshots (delivery_id, metrics)
      select "deliveryId", metrics from given where jsonb_typeof(metrics) = 'object' on conflict do nothing
      returning delivery_id),
    locked as (
      -- In one order, as another worker may be checking the receipts of the same deliveries.
      select d.id from deliveries d join given g on d.id = g."deliveryId" order by d.id for update of d),
    planned as (
      update deliveries d set engagement_at = g."nextAt", engagement_error = g.error from locked l join given g on l.id = g."deliveryId" where d.id = l.id
      returning d.id, d.workspace_id)
    insert into events (workspace_id, type, subject_id)
    select p.workspace_id, 'delivery.measured', p.id from planned p join taken t on t.delivery_id = p.id`.execute(
    db,
  );
}

/** Reads them later: the platform was away or told us to wait. */
export async function postponeReadings(
  db: Db,
  deliveryIds: readonly string[],
  until: Date,
): Promise<void> {
  await db
    .updateTable("deliveries")
    .set({ engagementAt: until })
    .where("id", "in", deliveryIds)
    .execute();
}
