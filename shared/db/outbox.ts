import { type RawBuilder, sql } from "kysely";
import type { Db, Tx } from "./client.ts";

/** Who is to be woken, by whom, when. */
export interface Wake {
  readonly job: string;
  readonly lane: string;
  readonly subjectId: string;
  readonly runAt: Date;
}

/** The right to work on a subject, until it ends or is renewed. A worker with an older fence must not act. */
export interface Lease {
  readonly job: string;
  readonly subjectId: string;
  readonly lane: string;
  readonly fence: number;
  /** It was somebody's who did not give it back: a worker died, or was frozen. */
  readonly isTakenOver: boolean;
}

/**
 * Asks for subjects to be looked at no later than `runAt`, in the transaction that made it necessary. Repeatable. Call it last:
 * the rows stay locked until the transaction ends.
 */
export async function wake(tx: Tx, wakes: readonly Wake[]): Promise<void> {
  if (wakes.length === 0) return;
  const rows = JSON.stringify(wakes);
  // Grouped and in one order, so that two transactions that wake the same channels never wait for each other in a circle.
  await sql`
    insert into outbox as o (job, lane, subject_id, run_at, revision)
    select w.job, w.lane, w."subjectId", min(w."runAt"), 1
      from jsonb_to_recordset(${rows}::jsonb) as w(job text, lane text, "subjectId" uuid, "runAt" timestamptz)
     group by w.job, w.lane, w."subjectId" order by w.job, w."subjectId"
    on conflict (job, subject_id) do update
      set run_at = least(o.run_at, excluded.run_at),
          revision = o.revision + 1,
          handed_at = case when excluded.run_at < o.run_at then null else o.handed_at end`.execute(
    tx,
  );
}

/** A row that the queue should know about. */
export interface Hint {
  readonly job: string;
  readonly lane: string;
  readonly subjectId: string;
  readonly revision: number;
  /** From now, by the database's clock; 0 for overdue. */
  readonly delayMs: number;
}

export interface HandOver {
  readonly horizonMs: number;
  /** What was handed over but is overdue by this is handed over again. */
  readonly staleMs: number;
  readonly limit: number;
  /** As `job/lane`. */
  readonly lanes: readonly string[];
}

/**
 * Notes that what is due within the horizon is handed to the queue, and returns it to be handed over. Many may do this at once:
 * each takes other rows. Noted first, because a hint may come back before we would have noted it; a crash in between costs
 * `staleMs` at most.
 */
export async function takeForQueue(db: Db, options: HandOver): Promise<readonly Hint[]> {
  if (options.lanes.length === 0) return [];
  const { rows } = await sql<Hint>`
    update outbox o set handed_at = now()
      from (select job, subject_id from outbox
             where run_at <= clock() + ${options.horizonMs} * interval '1 ms'
               and (leased_until is null or leased_until <= now())
               and job || '/' || lane = any(${options.lanes})
               and (handed_at is null
                    or (handed_at <= now() - ${options.staleMs} * interval '1 ms'
                        and run_at <= clock() - ${options.staleMs} * interval '1 ms'))
             order by run_at limit ${options.limit} for update skip locked) due
     where o.job = due.job and o.subject_id = due.subject_id
    returning o.job, o.lane, o.subject_id, o.revision,
              greatest(0, extract(epoch from o.run_at - clock()) * 1000)::float8 as delay_ms`.execute(
    db,
  );
  return rows;
}

interface Leaseholder {
  readonly worker: string;
  readonly leaseMs: number;
}

/** A `job/lane` that is looked at. */
export interface OpenLane {
  readonly lane: string;
  /** What has been due for less than this is left to the queue. */
  readonly lagMs: number;
  /** How many more of its subjects the worker can take on. */
  readonly free: number;
}

/**
 * Leases what is due, oldest first, on every lane as many as it has room for. Rows that others hold or look at are passed
 * over.
 */
export async function leaseDue(
  db: Db,
  holder: Leaseholder,
  open: readonly OpenLane[],
): Promise<Lease[]> {
  if (open.length === 0) return [];
  const lanes = open.map(({ lane, ...limits }) => {
    const [job, name] = lane.split("/");
    return { job, lane: name, ...limits };
  });
  const { rows } = await sql<Lease>`
    update outbox o
       set leased_by = ${holder.worker}, leased_until = now() + ${holder.leaseMs} * interval '1 ms', fence = fence + 1
      from jsonb_to_recordset(${JSON.stringify(lanes)}::jsonb) as l(job text, lane text, free int, "lagMs" float8)
     cross join lateral (
           select o.job, o.subject_id, o.leased_by is not null as is_taken_over from outbox o
            where o.job = l.job and o.lane = l.lane
              and o.run_at <= clock() - l."lagMs" * interval '1 ms'
              and (o.leased_until is null or o.leased_until <= now())
            order by o.run_at limit l.free for update skip locked) due
     where o.job = due.job and o.subject_id = due.subject_id
    returning o.job, o.subject_id, o.lane, o.fence, due.is_taken_over`.execute(db);
  return rows;
}

/** Lets lanes be handed over anew: what the queue was given before may be lost there. Harmless where it is not. */
export async function forgetHandOvers(db: Db, lanes: readonly string[]): Promise<void> {
  await sql`
    update outbox set handed_at = null
     where handed_at is not null and leased_until is null and job || '/' || lane = any(${lanes})`.execute(
    db,
  );
}

/** What became of the wish to lease one subject. */
export type LeaseAnswer =
  | { readonly subjectId: string; readonly lease: Lease }
  /** Not yet, by the database's clock; or not now, or not at all. */
  | { readonly subjectId: string; readonly earlyMs: number | null };

/**
 * Leases named subjects of one job, where they are due and free. One answer a subject, in any order. Waits for rows that
 * somebody is changing: a hint that was turned away would be lost.
 */
export async function leaseSubjects(
  db: Db,
  holder: Leaseholder,
  job: string,
  subjectIds: readonly string[],
): Promise<LeaseAnswer[]> {
  const { rows } = await sql<{
    subjectId: string;
    lane: string;
    fence: number | null;
    earlyMs: number | null;
    isTakenOver: boolean;
  }>`
    with wanted as (
      select o.subject_id, o.lane, o.run_at <= clock() as is_due, o.leased_by is not null as is_taken_over,
             extract(epoch from o.run_at - clock())::float8 * 1000 as early_ms
        from outbox o
       where o.job = ${job} and o.subject_id = any(${subjectIds}::uuid[])
         and (o.leased_until is null or o.leased_until <= now())
       order by o.subject_id for update),
    leased as (
      update outbox o
         set leased_by = ${holder.worker}, leased_until = now() + ${holder.leaseMs} * interval '1 ms', fence = fence + 1
        from wanted w where o.job = ${job} and o.subject_id = w.subject_id and w.is_due
      returning o.subject_id, o.fence)
    select w.subject_id, w.lane, l.fence, w.is_taken_over, case when w.is_due then null else w.early_ms end as early_ms
      from wanted w left join leased l using (subject_id)`.execute(db);
  const found = new Map(rows.map((row) => [row.subjectId, row]));
  return subjectIds.map((subjectId) => {
    const row = found.get(subjectId);
    if (!row || row.fence === null) return { subjectId, earlyMs: row?.earlyMs ?? null };
    const { lane, fence, isTakenOver } = row;
    return { subjectId, lease: { job, subjectId, lane, fence, isTakenOver } };
  });
}

/** Keeps a worker's leases alive, all at once. @returns those that it still holds */
export async function renewLeases(
  db: Db,
  holder: Leaseholder,
  held: readonly Lease[],
): Promise<readonly { job: string; subjectId: string; fence: number }[]> {
  if (held.length === 0) return [];
  const rows = JSON.stringify(held.map(({ job, subjectId, fence }) => ({ job, subjectId, fence })));
  // Rows that a long import has locked are passed over: their turn comes with the next renewal, well before the end.
  const renewed = await sql<{ job: string; subjectId: string; fence: number }>`
    update outbox o set leased_until = now() + ${holder.leaseMs} * interval '1 ms'
      from (select o.job, o.subject_id from outbox o
              join jsonb_to_recordset(${rows}::jsonb) as h(job text, "subjectId" uuid, fence bigint)
                on o.job = h.job and o.subject_id = h."subjectId" and o.fence = h.fence
             where o.leased_until is not null
             order by o.job, o.subject_id for update of o skip locked) mine
     where o.job = mine.job and o.subject_id = mine.subject_id
    returning o.job, o.subject_id, o.fence`.execute(db);
  return renewed.rows;
}

export interface Release {
  readonly job: string;
  readonly subjectId: string;
  readonly fence: number;
  /** As read together with `runAt`: where it has grown since, nothing is released and the caller asks again. */
  readonly revision: number;
  /** Null when there is nothing left to do. */
  readonly runAt: Date | null;
}

/** Gives leases back and notes when to come again. @returns the subjects that were released, or were not ours any more */
export async function releaseLeases(db: Db, releases: readonly Release[]): Promise<Set<string>> {
  const rows = JSON.stringify(releases);
  const { rows: kept } = await sql<{ subjectId: string }>`
    with given as (
      select * from jsonb_to_recordset(${rows}::jsonb)
        as r(job text, "subjectId" uuid, fence bigint, revision bigint, "runAt" timestamptz)),
    locked as (
      select o.job, o.subject_id, o.revision = g.revision as is_current, g."runAt" as run_at
        from outbox o join given g on o.job = g.job and o.subject_id = g."subjectId" and o.fence = g.fence
       where o.leased_until is not null
       order by o.job, o.subject_id for update of o),
    gone as (
      delete from outbox o using locked l
       where o.job = l.job and o.subject_id = l.subject_id and l.is_current and l.run_at is null
      returning o.subject_id),
    again as (
      update outbox o
         set run_at = l.run_at, leased_by = null, leased_until = null, handed_at = null, stumbles = 0
        from locked l
       where o.job = l.job and o.subject_id = l.subject_id and l.is_current and l.run_at is not null
      returning o.subject_id)
    select subject_id from locked where not is_current`.execute(db);
  const keptIds = new Set(kept.map((row) => row.subjectId));
  return new Set(releases.map((release) => release.subjectId).filter((id) => !keptIds.has(id)));
}

/** Gives a lease back after the handler itself failed: it is tried again, ever more slowly up to a minute. */
export async function releaseAfterStumble(db: Db, lease: Lease): Promise<void> {
  await sql`
    update outbox
       set leased_by = null, leased_until = null, handed_at = null, stumbles = stumbles + 1,
           run_at = greatest(run_at, clock()) + least(60, power(2, least(stumbles, 6))) * interval '1 s'
     where job = ${lease.job} and subject_id = ${lease.subjectId} and fence = ${lease.fence}`.execute(
    db,
  );
}

export interface NextRun {
  /** UTC; null for never. */
  readonly runAt: Date | null;
  /** -1 where there is no row. */
  readonly revision: number;
  /** For when the row asks; null where nobody would be woken. */
  readonly wakesAt: Date | null;
  /** A worker is at it, or tries it again after a fault of its own. */
  readonly isInHand: boolean;
}

/** For `Job.nextRuns`: an expression over one subject, beside the outbox's revision of the same instant. */
export async function nextRunsFrom(
  db: Db,
  job: string,
  subjectIds: readonly string[],
  runAt: (subject: RawBuilder<unknown>) => RawBuilder<Date | null>,
): Promise<ReadonlyMap<string, NextRun>> {
  const subject = sql`asked.subject_id`;
  const { rows } = await sql<NextRun & { subjectId: string }>`
    select asked.subject_id, coalesce(o.revision, -1) as revision, ${runAt(subject)} as run_at, o.run_at as wakes_at,
           coalesce(o.leased_until > now() or o.stumbles > 0, false) as is_in_hand
      from unnest(${subjectIds}::uuid[]) as asked(subject_id)
      left join outbox o on o.job = ${job} and o.subject_id = asked.subject_id`.execute(db);
  return new Map(rows.map(({ subjectId, ...run }) => [subjectId, run]));
}
