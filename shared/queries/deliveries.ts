import { type RawBuilder, sql } from "kysely";
import type { Db } from "../db/client.ts";
import type { Attention } from "../domain/channel.ts";
import type { DeliveryError, DeliveryState } from "../domain/delivery.ts";
import type { FailureKind } from "../domain/failure.ts";
import type { Light, Preflight } from "../domain/preflight.ts";
import type { Difference, Verdict } from "../domain/read-back.ts";
import type { WaitReason } from "../domain/wait.ts";

/** A delivery as screens show it. */
export interface ListedDelivery {
  readonly id: string;
  readonly postId: string;
  readonly channelId: string;
  readonly platform: string;
  readonly state: DeliveryState;
  readonly version: number;
  readonly dueAt: Date;
  /** `dueAt` as exact as it is stored, for the cursor. */
  readonly dueKey: string;
  readonly localTime: string | null;
  readonly zone: string | null;
  readonly latestAt: Date;
  readonly nextAt: Date | null;
  readonly publishedAt: Date | null;
  readonly readBack: Verdict | null;
  /** Null where it is not foretold: not yet, or not any more. */
  readonly preflight: Preflight | null;
  readonly error: DeliveryError | null;
  /** Why its channel needs a person; null where it does not wait for that. */
  readonly attention: Attention | null;
  /** Why its channel publishes nothing for now, and until when, ISO 8601; null where it does not have to wait for that. */
  readonly waiting: { readonly reason: WaitReason; readonly until: string } | null;
  /** What it waited for when its latest time passed; null where it did not. */
  readonly waitedFor: WaitReason | null;
  readonly receipts: readonly ListedReceipt[];
  readonly isCutShort: boolean;
  /** Half out, a hold stood in the way of the rest. */
  readonly isHalfHeld: boolean;
  /** Null where nobody wants it gone. */
  readonly removalWishedAt: Date | null;
  readonly removeAt: Date | null;
  readonly removalError: DeliveryError | null;
}

export interface ListedReceipt {
  readonly part: number;
  readonly remoteId: string;
  readonly permalink: string | null;
  readonly publishedAt: string;
  readonly knownBy: "answered" | "reconciled" | "person";
  readonly removedAt: string | null;
}

interface ListedAttempt {
  readonly part: number;
  readonly armedAt: Date;
  readonly answeredAt: Date | null;
  readonly outcome: string | null;
  readonly error: DeliveryError | null;
}

interface ListedReadBack {
  readonly takenAt: Date;
  readonly verdict: Verdict;
  readonly differences: readonly Difference[];
  readonly reason: FailureKind | null;
}

const LISTED = sql`
  d.id, d.post_id, d.channel_id, d.platform, d.state, d.version, d.due_at,
  to_char(d.due_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as due_key, d.local_time, d.zone, d.latest_at, d.next_at,
  d.published_at, d.read_back, case when d.state = 'scheduled' then d.preflight end as preflight, d.error, d.waited_for,
  case when d.next_at is not null and d.state in ('scheduled', 'preparing', 'partial', 'unknown')
       then (select jsonb_build_object('reason', w.reason, 'until', w.until)
               from channel_waits w
              where w.channel_id = d.channel_id and w.is_waiting and (w.is_out or d.state <> 'unknown')
                and d.next_at <= greatest(w.until, clock())) end as waiting,
  case when d.next_at is not null and d.state in ('scheduled', 'preparing', 'partial')
       then (select c.attention from channels c where c.id = d.channel_id) end as attention, d.is_cut_short,
  case when d.state = 'partial' and d.next_at is null and d.error is null
       then (select is_held(d.workspace_id, d.channel_id, p.campaign, p.labels, d.due_at) from posts p where p.id = d.post_id)
       else false end as is_half_held,
  d.removal_wished_at, d.remove_at, d.removal_error,
  coalesce((select jsonb_agg(jsonb_build_object('part', r.part, 'remoteId', r.remote_id, 'permalink', r.permalink,
                                                'publishedAt', r.published_at, 'knownBy', r.known_by,
                                                'removedAt', x.answered_at) order by r.part)
              from receipts r
              left join removals x on x.delivery_id = r.delivery_id and x.part = r.part and x.outcome = 'removed'
             where r.delivery_id = d.id), '[]') as receipts`;

export interface DeliveryListFilter {
  readonly state?: readonly DeliveryState[] | undefined;
  readonly channelId?: string | undefined;
  readonly postId?: string | undefined;
  readonly kind?: string | undefined;
  readonly readBack?: readonly Verdict[] | undefined;
  readonly preflight?: readonly Light[] | undefined;
  /** Instants with an offset; the second one is not included. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/**
 * Deliveries in the order of their times.
 * @param page.after `dueKey` and id of the last one of the page before
 * @returns up to one more than the limit
 */
export async function listDeliveries(
  db: Db,
  workspaceId: string,
  filter: DeliveryListFilter,
  page: { readonly after: readonly [string, string] | null; readonly limit: number },
): Promise<ListedDelivery[]> {
  const { after, limit } = page;
  const { state, channelId, postId, kind, readBack, preflight, from, to } = filter;
  const conditions = [
    sql`d.workspace_id = ${workspaceId}`,
    state && inStates(state),
    channelId && sql`d.channel_id = ${channelId}`,
    postId && sql`d.post_id = ${postId}`,
    kind && sql`d.error ->> 'kind' = ${kind}`,
    readBack && sql`d.read_back = any(${readBack})`,
    preflight && sql`d.state = 'scheduled' and d.preflight ->> 'light' = any(${preflight})`,
    from && sql`d.due_at >= ${from}::timestamptz`,
    to && sql`d.due_at < ${to}::timestamptz`,
    after && sql`(d.due_at, d.id) > (${after[0]}::timestamptz, ${after[1]}::uuid)`,
  ];
  const { rows } = await sql<ListedDelivery>`
    select ${LISTED} from deliveries d where ${allOf(conditions)}
     order by d.due_at, d.id limit ${limit + 1}`.execute(db);
  return rows;
}

/** With `= any` PostgreSQL would sort all that match, instead of reading the first page off the index. */
function inStates(states: readonly DeliveryState[]): RawBuilder<unknown> {
  return states.length === 1 ? sql`d.state = ${states[0]}` : sql`d.state = any(${states})`;
}

/** A delivery with its ledger. */
export interface DeliveryWithLedger extends ListedDelivery {
  readonly attempts: readonly ListedAttempt[];
  readonly readBacks: readonly ListedReadBack[];
}

/** One delivery with its ledger, or null. */
export async function findDelivery(
  db: Db,
  workspaceId: string,
  deliveryId: string,
): Promise<DeliveryWithLedger | null> {
  const { rows } = await sql<ListedDelivery>`
    select ${LISTED} from deliveries d
     where d.workspace_id = ${workspaceId} and d.id = ${deliveryId}`.execute(db);
  const [delivery] = rows;
  if (!delivery) return null;
  const attempts = await sql<ListedAttempt>`
    select a.part, a.armed_at, o.answered_at, o.outcome, o.error
      from attempts a left join attempt_outcomes o on o.attempt_id = a.id
     where a.delivery_id = ${deliveryId} order by a.armed_at, a.id`.execute(db);
  const readBacks = await db
    .selectFrom("readBacks")
    .select(["takenAt", "verdict", "differences", "reason"])
    .where("deliveryId", "=", deliveryId)
    .orderBy("takenAt")
    .execute();
  return { ...delivery, attempts: attempts.rows, readBacks };
}

export interface PostDelivery {
  readonly id: string;
  readonly postId: string;
  readonly channelId: string;
  readonly state: DeliveryState;
  readonly dueAt: Date;
}

/** The deliveries of posts that have not ended in nothing, in the order of their channels. */
export async function livingDeliveries(
  db: Db,
  postIds: readonly string[],
): Promise<readonly PostDelivery[]> {
  if (postIds.length === 0) return [];
  const { rows } = await sql<PostDelivery>`
    select id, post_id, channel_id, state, due_at from deliveries
     where post_id = any(${postIds}::uuid[]) and state not in ('cancelled', 'removed')
     order by channel_id`.execute(db);
  return rows;
}

/** Joins the conditions that are there. */
export function allOf(conditions: readonly (RawBuilder<unknown> | "" | null | undefined)[]) {
  return sql.join(
    conditions.flatMap((condition) => (condition ? [condition] : [])),
    sql` and `,
  );
}
