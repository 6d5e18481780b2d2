import { sql } from "kysely";
import type { DeliveryError } from "../domain/delivery.ts";
import { WAITING_FOR_CHANNEL } from "../domain/failure.ts";
import type { Db, Tx } from "./client.ts";
import { tellOwners } from "./notices.ts";
import { wake } from "./outbox.ts";
import type { ChannelRow } from "./tables.ts";

/** Somebody wants a delivery gone. */
export interface RemovalWish {
  readonly id: string;
  readonly channelId: string;
  readonly platform: string;
  readonly wishedBy: string;
}

/**
 * Notes the wish to take away what is out of a locked delivery, and wakes a worker for it. Nothing more of it goes out. Repeatable:
 * who wished first is kept, and a removal that waited for a person goes on.
 */
export async function wishRemoval(tx: Tx, wish: RemovalWish): Promise<void> {
  const { rows } = await sql<{ removeAt: Date }>`
    with wished as (
      update deliveries
         set removal_wished_at = coalesce(removal_wished_at, clock()), removal_wished_by = coalesce(removal_wished_by, ${wish.wishedBy}),
             remove_at = clock(), removal_tries = 0, removal_error = null, error = null, next_at = null, read_back_at = null,
             engagement_at = null, version = version + 1, updated_at = clock()
       where id = ${wish.id} returning id, workspace_id, remove_at),
    told as (
      insert into events (workspace_id, type, subject_id) select workspace_id, 'delivery.updated', id from wished)
    select remove_at from wished`.execute(tx);
  const [row] = rows;
  if (!row) throw new Error("A locked delivery is gone.");
  const { channelId, platform } = wish;
  await wake(tx, [
    { job: "remove-parts", lane: platform, subjectId: channelId, runAt: row.removeAt },
  ]);
}

/** The next part to take away on a channel. */
export interface DueRemoval {
  readonly deliveryId: string;
  readonly tries: number;
  /** The last one that is still out; null where all are gone. */
  readonly part: { readonly part: number; readonly remoteId: string } | null;
  readonly channel: Pick<
    ChannelRow,
    "id" | "platform" | "sealedCredentials" | "credentialsVersion"
  >;
  /** `clock()` of the same instant. */
  readonly now: Date;
}

/** What is to be taken away first on the channel of a lease; null where nothing is, or the lease is not the newest. */
export async function nextRemoval(
  db: Db,
  { channelId, fence }: { readonly channelId: string; readonly fence: number },
): Promise<DueRemoval | null> {
  const { rows } = await sql<Omit<DueRemoval, "channel"> & DueRemoval["channel"]>`
    select d.id as delivery_id, d.removal_tries as tries, clock() as now,
           c.id, c.platform, c.sealed_credentials, c.credentials_version,
           (select jsonb_build_object('part', r.part, 'remoteId', r.remote_id) from receipts r
             where r.delivery_id = d.id and not exists (
               select 1 from removals x where x.delivery_id = r.delivery_id and x.part = r.part and x.outcome = 'removed')
             order by r.part desc limit 1) as part
      from outbox o
      join channels c on c.id = o.subject_id
      join deliveries d on d.channel_id = c.id and d.remove_at is not null and d.remove_at <= clock()
     where o.job = 'remove-parts' and o.subject_id = ${channelId} and o.fence = ${fence} and o.leased_until > now()
     order by d.remove_at, d.id limit 1`.execute(db);
  const [row] = rows;
  if (!row) return null;
  const { id, platform, sealedCredentials, credentialsVersion, ...due } = row;
  return { ...due, channel: { id, platform, sealedCredentials, credentialsVersion } };
}

/**
 * Writes down that a part is gone, and ends the delivery with the last one. Repeatable: of two workers that took the same part
 * away, one is heard.
 * @param part null where nothing was left to be taken away
 */
export async function recordRemoved(
  db: Db,
  removal: { readonly id: string; readonly deliveryId: string; readonly part: number | null },
): Promise<void> {
  const { id, deliveryId, part } = removal;
  await sql`
    with done as (
      insert into removals (id, delivery_id, part, outcome)
      select ${id}::uuid, ${deliveryId}::uuid, ${part}::int, 'removed' where ${part}::int is not null on conflict do nothing),
    left_over as (
      select exists (
        select 1 from receipts r
         where r.delivery_id = ${deliveryId} and r.part is distinct from ${part}::int and not exists (
           select 1 from removals x where x.delivery_id = r.delivery_id and x.part = r.part and x.outcome = 'removed')) as is_some),
    moved as (
      update deliveries d
         set state = case when l.is_some then d.state else 'removed' end,
             remove_at = case when l.is_some then clock() end,
             removal_tries = 0, removal_error = null, version = d.version + 1, updated_at = clock()
        from left_over l
       where d.id = ${deliveryId} and d.removal_wished_at is not null and d.state in ('published', 'partial', 'removed')
      returning d.id, d.workspace_id, d.state)
    insert into events (workspace_id, type, subject_id)
    select workspace_id, 'delivery.removed', id from moved where state = 'removed'`.execute(db);
}

/** Writes down that a part could not be taken away, and when to try again. Where that is never, people are told. */
export async function recordFailedRemoval(
  db: Db,
  failed: {
    readonly id: string;
    readonly deliveryId: string;
    readonly part: number;
    readonly error: DeliveryError;
    readonly at: Date | null;
    readonly tries: number;
  },
): Promise<void> {
  const error = JSON.stringify(failed.error);
  await sql`
    with noted as (
      insert into removals (id, delivery_id, part, outcome, error)
      values (${failed.id}, ${failed.deliveryId}, ${failed.part}, ${failed.error.kind}, ${error}::jsonb)),
    moved as (
      update deliveries
         set remove_at = ${failed.at}::timestamptz, removal_tries = ${failed.tries}, removal_error = ${error}::jsonb,
             version = version + 1, updated_at = clock()
       where id = ${failed.deliveryId} and removal_wished_at is not null and state in ('published', 'partial', 'removed')
      returning id, workspace_id, post_id, remove_at, removal_error ->> 'kind' as reason, version::text as cause),
    stuck as (select * from moved where remove_at is null),
    ${tellOwners("stuck", "delivery.removal_failed")}
    insert into events (workspace_id, type, subject_id)
    select workspace_id, 'delivery.removal_failed', id from moved`.execute(db);
}

/** Goes on with removals that failed for want of a channel which is well again. Call it last in the transaction. */
export async function resumeRemovals(
  tx: Tx,
  { id, platform }: { readonly id: string; readonly platform: string },
): Promise<void> {
  const { rows } = await sql<{ removeAt: Date }>`
    update deliveries
       set remove_at = clock(), removal_tries = 0, version = version + 1, updated_at = clock()
     where channel_id = ${id} and removal_wished_at is not null and state in ('published', 'partial', 'removed')
       and removal_error ->> 'kind' = any(${[...WAITING_FOR_CHANNEL]})
    returning remove_at`.execute(tx);
  await wake(
    tx,
    rows.map(({ removeAt }) => {
      return { job: "remove-parts", lane: platform, subjectId: id, runAt: removeAt };
    }),
  );
}
