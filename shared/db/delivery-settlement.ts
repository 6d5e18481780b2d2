import { sql } from "kysely";
import type { PartContent } from "../domain/content.ts";
import type { DeliveryState } from "../domain/delivery.ts";
import { FIRST_READ_BACK_MS } from "../domain/read-back.ts";
import type { Tx } from "./client.ts";
import { wake } from "./outbox.ts";

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
}

/**
 * Moves a locked delivery out of `unknown`, plans the first check of its receipt and the first reading of its engagement, and
 * tells of it.
 */
export async function settleDelivery(
  tx: Tx,
  workspaceId: string,
  { id, version, channelId, platform, state, nextAt, latestAt, firstReadingMs }: Settlement,
): Promise<void> {
  const isPublished = state === "published";
  const { rows } = await sql<{ engagementAt: Date | null; readBackAt: Date | null }>`
    with moved as (
      update deliveries
         set state = ${state}, version = version + 1, next_at = ${nextAt}::timestamptz, latest_at = ${latestAt}::timestamptz,
             tries = 0, looks = 0, error = null, updated_at = clock(),
             published_at = case when ${isPublished} then
               (select max(published_at) from receipts where delivery_id = ${id}) end,
             engagement_at = case when ${isPublished} then clock() + ${firstReadingMs ?? null}::float8 * interval '1 ms' end,
             read_back_at = case when ${isPublished} then clock() + ${FIRST_READ_BACK_MS} * interval '1 ms' end
       where id = ${id} and version = ${version} and state = 'unknown'
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
