import { sql } from "kysely";
import type { PartContent } from "../domain/content.ts";
import type { DeliveryState } from "../domain/delivery.ts";
import { FIRST_READ_BACK_MS } from "../domain/read-back.ts";
import type { Db, Tx } from "./client.ts";
import { wake } from "./outbox.ts";
import type { ChannelRow } from "./tables.ts";

/** How far a delivery got. */
export interface OpenPart {
  /** Parts that are proven to be out. The part of unknown outcome is the next one. */
  readonly receipts: number;
  readonly parts: readonly PartContent[];
  readonly variant: { readonly parts: readonly PartContent[] } | null;
}

export async function publishedParts(tx: Tx, deliveryId: string): Promise<OpenPart> {
  const { rows } = await sql<OpenPart>`
    select (select count(*)::int from receipts r where r.delivery_id = d.id) as receipts, p.parts, pc.variant
      from deliveries d join posts p on p.id = d.post_id
      left join post_channels pc on pc.post_id = d.post_id and pc.channel_id = d.channel_id
     where d.id = ${deliveryId}`.execute(tx);
  const [row] = rows;
  if (!row) throw new Error("A locked delivery is gone.");
  return row;
}

/** What of a delivery decides whether its parts may be left as they are, or taken away. */
export interface Proof {
  /** Parts that are proven to be out. */
  readonly receipts: number;
  /** Nobody knows yet whether the next part is out. */
  readonly isUnanswered: boolean;
  readonly isRemovalWished: boolean;
}

export async function proofOf(tx: Tx, deliveryId: string): Promise<Proof> {
  const { rows } = await sql<Proof>`
    select (select count(*)::int from receipts r where r.delivery_id = d.id) as receipts,
           exists (select 1 from attempts a left join attempt_outcomes o on o.attempt_id = a.id
                    where a.delivery_id = d.id and o.attempt_id is null) as is_unanswered,
           d.removal_wished_at is not null as is_removal_wished
      from deliveries d where d.id = ${deliveryId}`.execute(tx);
  const [row] = rows;
  if (!row) throw new Error("A locked delivery is gone.");
  return row;
}

/** What a person would settle, and where it is; undefined where there is none in the workspace. */
export async function findSettleable(
  db: Db,
  workspaceId: string,
  deliveryId: string,
): Promise<
  | {
      readonly state: DeliveryState;
      readonly channel: Pick<
        ChannelRow,
        "id" | "platform" | "sealedCredentials" | "credentialsVersion"
      >;
    }
  | undefined
> {
  const row = await db
    .selectFrom("deliveries as d")
    .innerJoin("channels as c", "c.id", "d.channelId")
    .select(["d.state", "c.id", "c.platform", "c.sealedCredentials", "c.credentialsVersion"])
    .where("d.workspaceId", "=", workspaceId)
    .where("d.id", "=", deliveryId)
    .executeTakeFirst();
  if (!row) return undefined;
  const { state, ...channel } = row;
  return { state, channel };
}

/** Answers every attempt of a delivery that has no answer. */
export async function answerOpenAttempts(
  tx: Tx,
  deliveryId: string,
  outcome: "published" | "not_published",
): Promise<void> {
  await sql`
    insert into attempt_outcomes (attempt_id, outcome)
    select a.id, ${outcome} from attempts a left join attempt_outcomes o on o.attempt_id = a.id
     where a.delivery_id = ${deliveryId} and o.attempt_id is null`.execute(tx);
}

/** The receipt that a person vouches for. When it was published, nobody knows: when the attempt was made is closest. */
export async function recordByPerson(
  tx: Tx,
  proof: {
    readonly delivery: { readonly id: string; readonly contentHash: string };
    readonly part: number;
    readonly remoteId: string;
    readonly permalink: string;
  },
): Promise<void> {
  const { delivery, part, remoteId, permalink } = proof;
  await sql`
    insert into receipts (delivery_id, part, remote_id, permalink, published_at, content_hash, known_by)
    select ${delivery.id}, ${part}, ${remoteId}, ${permalink},
           coalesce((select max(armed_at) from attempts where delivery_id = ${delivery.id} and part = ${part}), clock()),
           ${delivery.contentHash}, 'person'`.execute(tx);
}

export interface Settlement {
  readonly id: string;
  readonly version: number;
  readonly channelId: string;
  readonly platform: string;
  readonly state: Extract<DeliveryState, "published" | "partial" | "scheduled" | "cancelled">;
  readonly nextAt: Date | null;
  readonly latestAt: Date;
  /** After now; null or absent for no reading of engagement. */
  readonly firstReadingMs?: number | null;
  /** Published although parts of it are not. */
  readonly isCutShort?: boolean;
}

/**
 * Moves a locked delivery out of `unknown` or `partial`, plans the first check of its receipt and the first reading of its engagement, and
 * tells of it.
 */
export async function settleDelivery(
  tx: Tx,
  workspaceId: string,
  settlement: Settlement,
): Promise<void> {
  const { id, version, channelId, platform, state, nextAt, latestAt } = settlement;
  const { firstReadingMs = null, isCutShort = false } = settlement;
  const isPublished = state === "published";
  const { rows } = await sql<{ engagementAt: Date | null; readBackAt: Date | null }>`
    with moved as (
      update deliveries
         set state = ${state}, version = version + 1, next_at = ${nextAt}::timestamptz, latest_at = ${latestAt}::timestamptz,
             tries = 0, looks = 0, error = null, is_cut_short = ${isCutShort}, updated_at = clock(),
             published_at = case when ${isPublished} then
               (select max(published_at) from receipts where delivery_id = ${id}) end,
             engagement_at = case when ${isPublished} then clock() + ${firstReadingMs}::float8 * interval '1 ms' end,
             read_back_at = case when ${isPublished} then clock() + ${FIRST_READ_BACK_MS} * interval '1 ms' end
       where id = ${id} and version = ${version} and state in ('unknown', 'partial')
      returning id, engagement_at, read_back_at),
    told as (
      insert into events (workspace_id, type, subject_id)
      select ${workspaceId}, ${`delivery.${state}`}, id from moved)
    select engagement_at, read_back_at from moved`.execute(tx);
  const times = [
    ["check-receipts", rows[0]?.readBackAt],
    ["read-engagement", rows[0]?.engagementAt],
  ] as const;
  await wake(
    tx,
    times.flatMap(([job, runAt]) =>
      runAt ? [{ job, lane: platform, subjectId: channelId, runAt }] : [],
    ),
  );
}
