import { sql, type Selectable } from "kysely";
import type { DeliveryState } from "../domain/delivery.ts";
import type { Hold, HoldScope } from "../domain/hold.ts";
import type { Db, Tx } from "./client.ts";
import type { Tables } from "./tables.ts";

/** A hold that is about to begin. */
export interface NewHold {
  readonly id: string;
  readonly workspaceId: string;
  readonly scope: HoldScope;
  readonly reason: string;
  readonly startedBy: string;
  readonly endsAt: Date | null;
}

/**
 * Begins a hold. When the transaction has been committed no attempt in its scope can be written any more; requests that
 * were armed before may still be under way.
 */
export async function insertHold(tx: Tx, hold: NewHold): Promise<Hold> {
  const { fence } = await tx
    .updateTable("holdFence")
    .set({ fence: sql<number>`fence + 1` })
    .returning("fence")
    .executeTakeFirstOrThrow();
  const { scope, ...rest } = hold;
  const row = await tx
    .insertInto("holds")
    .values({ ...rest, fence, ...columnsOf(scope) })
    .returningAll()
    .executeTakeFirstOrThrow();
  return holdOf(row);
}

/** @returns undefined where there is none in the workspace */
export async function findHold(db: Db, workspaceId: string, id: string): Promise<Hold | undefined> {
  const query = db.selectFrom("holds").selectAll().where("workspaceId", "=", workspaceId);
  const row = await query.where("id", "=", id).executeTakeFirst();
  return row && holdOf(row);
}

/** Newest first. */
export async function listHolds(
  db: Db,
  workspaceId: string,
  page: { readonly before: string | null; readonly limit: number },
): Promise<Hold[]> {
  let query = db.selectFrom("holds").selectAll().where("workspaceId", "=", workspaceId);
  if (page.before !== null) query = query.where("id", "<", page.before);
  const rows = await query.orderBy("id", "desc").limit(page.limit).execute();
  return rows.map(holdOf);
}

/** Ends a hold that goes on. @returns false where it had ended, or ended by itself */
export async function endHold(tx: Tx, holdId: string, endedBy: string): Promise<boolean> {
  const ended = await tx
    .updateTable("holds")
    .set({ endedBy, endedAt: sql<Date>`clock()` })
    .where("id", "=", holdId)
    .where("endedAt", "is", null)
    .where(sql<boolean>`(ends_at is null or ends_at > clock())`)
    .executeTakeFirst();
  return ended.numUpdatedRows > 0n;
}

/** A worker counts as gone when it has not been seen for this long: its leases have ended, so it cannot commit. */
const GONE_AFTER_MS = 12_000;

/** How many running workers have not confirmed a fence yet. */
export async function workersBehind(db: Db, fence: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from workers
     where confirmed_fence < ${fence} and seen_at > now() - ${GONE_AFTER_MS} * interval '1 ms'`.execute(
    db,
  );
  return rows[0]?.count ?? 0;
}

/** Says that a worker is alive and which fence it has confirmed. @returns the newest fence */
export async function confirmFence(db: Db, workerId: string, fence: number): Promise<number> {
  const { rows } = await sql<{ fence: number }>`
    with seen as (
      insert into workers (id, confirmed_fence) values (${workerId}, ${fence})
      on conflict (id) do update set seen_at = now(), confirmed_fence = excluded.confirmed_fence)
    select fence from hold_fence`.execute(db);
  return rows[0]?.fence ?? fence;
}

/** Forgets a worker that has stopped, and those that died long ago. */
export async function forgetWorker(db: Db, workerId: string): Promise<void> {
  await sql`delete from workers where id = ${workerId} or seen_at < now() - interval '1 day'`.execute(
    db,
  );
}

/** A delivery in the scope of a hold that had begun to go out before it. */
export interface Leaked {
  readonly id: string;
  readonly postId: string;
  readonly channelId: string;
  readonly state: DeliveryState;
  readonly permalink: string | null;
}

/**
 * What was already being sent when a hold began: its outcome may come later. While the hold lasts nothing in its scope is armed, so
 * whatever was armed before its end was armed before it, or while it waited for the fence.
 */
export async function leakedPast(db: Db, hold: Hold): Promise<Leaked[]> {
  const { rows } = await sql<Leaked>`
    select d.id, d.post_id, d.channel_id, d.state,
           (select r.permalink from receipts r where r.delivery_id = d.id order by r.part limit 1) as permalink
      from holds h
      join deliveries d on d.workspace_id = h.workspace_id
       and (d.state in ('sending', 'unknown') or (d.state in ('published', 'partial', 'preparing') and d.updated_at >= h.started_at))
      join posts p on p.id = d.post_id
     where h.id = ${hold.id}
       and (h.channel_ids is null or d.channel_id = any(h.channel_ids))
       and (h.campaign is null or h.campaign = p.campaign) and (h.label is null or h.label = any(p.labels))
       and exists (
         select 1 from attempts a left join attempt_outcomes o on o.attempt_id = a.id
          where a.delivery_id = d.id and a.armed_at < coalesce(least(h.ended_at, h.ends_at), 'infinity')
            and (o.attempt_id is null or o.answered_at >= h.started_at))
     order by d.id`.execute(db);
  return rows;
}

/** How many deliveries came due in a hold's scope and wait for a person. */
export async function countHeld(db: Db, hold: Hold): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from holds h
      join deliveries d on d.workspace_id = h.workspace_id and d.state = 'held'
       and (h.channel_ids is null or d.channel_id = any(h.channel_ids))
      join posts p on p.id = d.post_id
       and (h.campaign is null or h.campaign = p.campaign) and (h.label is null or h.label = any(p.labels))
     where h.id = ${hold.id}`.execute(db);
  return rows[0]?.count ?? 0;
}

function columnsOf(scope: HoldScope): {
  channelIds: string[] | null;
  campaign: string | null;
  label: string | null;
} {
  return {
    channelIds: scope.kind === "channels" ? [...scope.channelIds] : null,
    campaign: scope.kind === "campaign" ? scope.campaign : null,
    label: scope.kind === "label" ? scope.label : null,
  };
}

function holdOf(row: Selectable<Tables["holds"]>): Hold {
  const { id, reason, fence, startedAt, endsAt, endedAt } = row;
  return { id, scope: scopeOf(row), reason, fence, startedAt, endsAt, endedAt };
}

function scopeOf({ channelIds, campaign, label }: Selectable<Tables["holds"]>): HoldScope {
  if (channelIds !== null) return { kind: "channels", channelIds };
  if (campaign !== null) return { kind: "campaign", campaign };
  if (label !== null) return { kind: "label", label };
  return { kind: "workspace" };
}
