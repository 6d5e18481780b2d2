import { sql } from "kysely";
import type { Capabilities } from "../connectors/capabilities.ts";
import type { Attention } from "../domain/channel.ts";
import type { PartContent } from "../domain/content.ts";
import type { DeliveryError, DeliveryState } from "../domain/delivery.ts";
import type { WaitReason } from "../domain/wait.ts";
import type { Db } from "./client.ts";
import { tellOfDeliveries } from "./notices.ts";

/** A delivery that waits for a worker, with all that publishing it needs, as of one instant. */
export interface DueDelivery {
  readonly id: string;
  readonly workspaceId: string;
  readonly postId: string;
  readonly channelId: string;
  readonly platform: string;
  readonly state: DeliveryState;
  /** After the claim where it was claimed. */
  readonly version: number;
  /** It was moved to `preparing` just now, and is ours to publish. */
  readonly isClaimed: boolean;
  readonly isLate: boolean;
  /** A hold stood in its way when its time came, or does now. */
  readonly isHeld: boolean;
  /** The fence of the newest hold that was looked at. */
  readonly holdFence: number;
  readonly contentHash: string;
  readonly dueAt: Date;
  readonly latestAt: Date;
  readonly tries: number;
  readonly looks: number;
  readonly prepared: Readonly<Record<string, unknown>>;
  /** Of the try before this one. */
  readonly error: DeliveryError | null;
  readonly parts: readonly PartContent[];
  readonly variant: { readonly parts: readonly PartContent[] } | null;
  readonly link: string | null;
  readonly capabilities: Capabilities;
  readonly attention: Attention | null;
  readonly sealedCredentials: Buffer;
  readonly credentialsVersion: number;
  readonly receipts: readonly StoredReceipt[];
  /** The part that is next was attempted before, however that ended. */
  readonly wasAttempted: boolean;
  /** Which of its platform's servers the channel is on: empty where that is one, null where nobody has noted it yet. */
  readonly host: string | null;
  /** Why nothing new is published on the channel now; null where it is. What is late is found all the same. */
  readonly waitReason: WaitReason | null;
  /** The newest attempt without an answer. */
  readonly openAttempt: OpenAttempt | null;
  /** `clock()` of the same instant. */
  readonly now: Date;
}

export interface StoredReceipt {
  readonly part: number;
  readonly remoteId: string;
  readonly permalink: string | null;
  readonly publishedAt: string;
  readonly reference: Readonly<Record<string, string>> | null;
}

export interface OpenAttempt {
  readonly id: string;
  readonly part: number;
  readonly armedAt: string;
  /** Of the first attempt at the same part with the same content: any of them may be what is out. */
  readonly firstArmedAt: string;
}

/**
 * Finds what each channel has to do first, and claims it where that is to publish: one statement for many channels, in
 * the order of their times. What was changed by somebody in the same moment comes back unclaimed; look again. A part whose last
 * attempt has no answer is never claimed, whatever the state says: it may be out.
 * @returns one entry a lease, in the order given; null where nothing is due, or the lease is not the newest
 */
export async function claimNext(
  db: Db,
  leases: readonly ChannelLease[],
): Promise<readonly (DueDelivery | null)[]> {
  const { rows } = await sql<DueDelivery & { leaseFence: number }>`
    with head as (
      select d.*, d.latest_at < clock() as is_late, f.fence as hold_fence,
             is_held(d.workspace_id, d.channel_id, p.campaign, p.labels, d.due_at) as is_held, c.capabilities, c.attention, c.sealed_credentials,
             c.credentials_version, c.host, w.is_waiting, w.reason as wait_reason,
             p.parts, p.link, pc.variant, o.fence as lease_fence, open.open_attempt
        from jsonb_to_recordset(${JSON.stringify(leases)}::jsonb) as wanted("channelId" uuid, fence bigint)
        join outbox o on o.job = 'publish-channel' and o.subject_id = wanted."channelId" and o.fence = wanted.fence
         and o.leased_until > now()
        join channels c on c.id = wanted."channelId"
        join channel_waits w on w.channel_id = c.id
       cross join lateral (
             select * from deliveries d
              where d.channel_id = c.id and d.next_at is not null and d.next_at <= clock()
                -- A case, as the planner would take three alternatives for a filter that leaves next to nothing, and sort.
                and case when w.is_waiting
                    then (d.state = 'scheduled' and d.latest_at < clock())
                         or (d.state in ('unknown', 'sending') and not w.is_out)
                    else true end
                and look_at(d.state, d.next_at, d.latest_at, c.attention is not null) <= clock()
                -- Nothing is due before its time: this only keeps the future plan out of the search.
                and d.due_at <= clock()
              order by d.due_at, d.id limit 1) d
        join posts p on p.id = d.post_id
        left join post_channels pc on pc.post_id = d.post_id and pc.channel_id = d.channel_id
       cross join hold_fence f
        left join lateral (
             select jsonb_build_object(
                      'id', a.id, 'part', a.part, 'armedAt', a.armed_at,
                      'firstArmedAt', (select min(first.armed_at) from attempts first
                                        where first.delivery_id = a.delivery_id and first.part = a.part
                                          and first.content_hash = a.content_hash)) as open_attempt
               from attempts a left join attempt_outcomes answered on answered.attempt_id = a.id
              where a.delivery_id = d.id and answered.attempt_id is null
              order by a.armed_at desc limit 1) open on true),
    claimed as (
      update deliveries d
         set state = 'preparing', version = d.version + 1, updated_at = clock()
        from head h
       where d.id = h.id and d.version = h.version and h.attention is null and not h.is_held
         and h.open_attempt is null and not h.is_waiting
         and (h.state in ('partial', 'preparing') or (h.state = 'scheduled' and not h.is_late))
      returning d.id, d.version)
    select h.id, h.workspace_id, h.post_id, h.channel_id, h.platform, h.state,
           coalesce(k.version, h.version) as version, k.id is not null as is_claimed, h.is_late, h.is_held, h.hold_fence,
           h.content_hash, h.due_at, h.latest_at, h.tries, h.looks, h.prepared, h.error, h.parts, h.variant, h.link,
           h.capabilities, h.attention, h.sealed_credentials, h.credentials_version, clock() as now,
           case when h.state = 'scheduled' then '[]'::jsonb else coalesce((
             select jsonb_agg(jsonb_build_object('part', r.part, 'remoteId', r.remote_id, 'permalink', r.permalink,
                                                 'publishedAt', r.published_at, 'reference', r.reference) order by r.part)
               from receipts r where r.delivery_id = h.id), '[]') end as receipts,
           h.open_attempt, h.lease_fence, h.host, case when h.is_waiting then h.wait_reason end as wait_reason,
           exists (select 1 from attempts a where a.delivery_id = h.id and a.part = (
             select count(*) from receipts r where r.delivery_id = h.id)) as was_attempted
      from head h left join claimed k on k.id = h.id`.execute(db);
  const found = new Map(rows.map((row) => [row.channelId, row]));
  return leases.map(({ channelId, fence }) => {
    const row = found.get(channelId);
    if (row?.leaseFence !== fence) return null;
    // Given away once: should the same lease ask twice in a round, only one of them has the work.
    found.delete(channelId);
    return row;
  });
}

/** The right to work on a channel. */
export interface ChannelLease {
  readonly channelId: string;
  readonly fence: number;
}

/** Everything that must hold when an attempt is written. */
export interface Arming {
  readonly attemptId: string;
  readonly deliveryId: string;
  readonly version: number;
  readonly channelId: string;
  readonly fence: number;
  /** As the claim found it. */
  readonly holdFence: number;
  readonly part: number;
  readonly contentHash: string;
  readonly idempotencyKey: string;
  readonly prepared: Readonly<Record<string, unknown>>;
}

/**
 * Writes the attempt before the platform is touched. Refused (false) where anything has moved on: the delivery, its content, the holds,
 * the time beyond its latest while nothing of it is out, or the lease of its channel, which must also last for `marginMs` more.
 */
export async function arm(
  db: Db,
  worker: string,
  marginMs: number,
  armings: readonly Arming[],
): Promise<readonly boolean[]> {
  const { rows } = await sql<{ id: string }>`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(armings)}::jsonb)
        as g("attemptId" uuid, "deliveryId" uuid, version int, "channelId" uuid, fence bigint,
             "holdFence" bigint, part int,
             "contentHash" text, "idempotencyKey" text, prepared jsonb)),
    -- Locked, so that a hold that begins now waits for us, and one that has begun while we waited is seen.
    holds_now as (select fence from hold_fence for share),
    armed as (
      update deliveries d
         set state = 'sending', version = d.version + 1, prepared = g.prepared, updated_at = clock()
        from given g
        join outbox o on o.job = 'publish-channel' and o.subject_id = g."channelId" and o.fence = g.fence
         and o.leased_until > now() + ${marginMs} * interval '1 ms'
       where d.id = g."deliveryId" and d.version = g.version and d.state = 'preparing'
         and d.content_hash = g."contentHash" and g."holdFence" = (select fence from holds_now)
         and (d.latest_at >= clock() or g.part > 0)
      returning g."attemptId")
    insert into attempts (id, delivery_id, part, fence, worker, content_hash, idempotency_key)
    select g."attemptId", g."deliveryId", g.part, g.fence, ${worker}, g."contentHash", g."idempotencyKey"
      from given g join armed a using ("attemptId")
    returning id`.execute(db);
  const armed = new Set(rows.map((row) => row.id));
  return armings.map((arming) => armed.has(arming.attemptId));
}

/** One move of a worker that is not a publication. */
export interface Move {
  readonly deliveryId: string;
  readonly version: number;
  readonly to: DeliveryState;
  readonly nextAt: Date | null;
  readonly error: DeliveryError | null;
  readonly tries: number;
  readonly looks: number;
  /** What it waited for when its time passed. */
  readonly waitedFor?: WaitReason | null;
  /** The answer to an attempt that is settled by this move. */
  readonly answer: { readonly attemptId: string; readonly outcome: string } | null;
}

/** Moves a delivery that nobody else has moved since it was read. @returns the new version; null where somebody has */
export async function moveDelivery(db: Db, move: Move): Promise<number | null> {
  const error = move.error === null ? null : JSON.stringify(move.error);
  const { rows } = await sql<{ version: number }>`
    with moved as (
      update deliveries
         set state = ${move.to}, version = version + 1, next_at = ${move.nextAt}, error = ${error}::jsonb,
             tries = ${move.tries}, looks = ${move.looks}, waited_for = ${move.waitedFor ?? null}, updated_at = clock()
       where id = ${move.deliveryId} and version = ${move.version}
      returning id, version, workspace_id, post_id, state, next_at, latest_at, error),
    answered as (
      insert into attempt_outcomes (attempt_id, outcome, error)
      select ${move.answer?.attemptId ?? null}::uuid, ${move.answer?.outcome ?? ""}, ${error}::jsonb
        from moved where ${move.answer !== null} on conflict do nothing),
    told as (
      insert into events (workspace_id, type, subject_id)
      select workspace_id, ${`delivery.${move.to}`}, id from moved),
    ${tellOfDeliveries("moved")}
    select version from moved`.execute(db);
  return rows[0]?.version ?? null;
}

/** Notes that a worker ended with a delivery in hand. @returns how often that has happened */
export async function noteAbandoned(db: Db, deliveryId: string): Promise<number> {
  const row = await db
    .updateTable("deliveries")
    .set({ abandoned: sql<number>`abandoned + 1` })
    .where("id", "=", deliveryId)
    .returning("abandoned")
    .executeTakeFirst();
  return row?.abandoned ?? 0;
}

/** Keeps what `prepare` has achieved, so that a killed worker's successor goes on from there. */
export async function savePrepared(
  db: Db,
  delivery: { readonly id: string; readonly version: number },
  prepared: Readonly<Record<string, unknown>>,
): Promise<void> {
  await db
    .updateTable("deliveries")
    .set({ prepared: JSON.stringify(prepared) })
    .where("id", "=", delivery.id)
    .where("version", "=", delivery.version)
    .execute();
}
