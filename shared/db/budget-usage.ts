import { sql } from "kysely";
import type { Db } from "./client.ts";

/** A wish to take from one budget. */
export interface BudgetWish {
  /** Names the budget, and whose it is. */
  readonly key: string;
  readonly limit: number;
  readonly count: number;
  readonly countsFrom: Date;
  readonly bucketAt: Date;
  readonly forgetAt: Date;
}

export interface BudgetGrant {
  /** As many as there were, from 0 to what was wished. */
  readonly granted: number;
  /** The oldest bucket before the current one that counts; null where there is none. */
  readonly oldest: Date | null;
}

/**
 * Takes from budgets, exactly, however many workers do so at once. One statement; every key at most once.
 * @returns one grant a wish, in the order given
 */
export async function takeFromBudgets(
  db: Db,
  wishes: readonly BudgetWish[],
): Promise<readonly BudgetGrant[]> {
  const { rows } = await sql<BudgetGrant & { key: string }>`
    with wished as (
      select w.*, before.used as used_before, before.oldest
        from jsonb_to_recordset(${JSON.stringify(wishes)}::jsonb)
          as w(key text, "limit" int, count int, "countsFrom" timestamptz, "bucketAt" timestamptz, "forgetAt" timestamptz)
       cross join lateral (
             select coalesce(sum(u.used), 0)::int as used, min(u.bucket_at) filter (where u.used > 0) as oldest
               from budget_usage u
              where u.key = w.key and u.bucket_at >= w."countsFrom" and u.bucket_at < w."bucketAt") before),
    taken as (
      insert into budget_usage as u (key, bucket_at, used, room, granted, forget_at)
      select key, "bucketAt", greatest(0, least(count, "limit" - used_before)), "limit" - used_before,
             greatest(0, least(count, "limit" - used_before)), "forgetAt"
        from wished order by key
      on conflict (key, bucket_at) do update
        set used = u.used + greatest(0, least(excluded.granted, excluded.room - u.used)),
            granted = greatest(0, least(excluded.granted, excluded.room - u.used)), room = excluded.room
      returning u.key, u.granted)
    select t.key, t.granted, w.oldest from taken t join wished w using (key)`.execute(db);
  const grants = new Map(rows.map((row) => [row.key, row]));
  return wishes.map(({ key }) => grants.get(key) ?? { granted: 0, oldest: null });
}

/** What was taken elsewhere. */
export type BudgetNote = Pick<BudgetWish, "key" | "bucketAt" | "forgetAt"> & {
  readonly used: number;
};

/** Adds what was taken from another store. @returns what is taken in all, one number a note; every key and bucket at most once */
export async function noteBudgetUsage(
  db: Db,
  notes: readonly BudgetNote[],
): Promise<readonly number[]> {
  const { rows } = await sql<{ key: string; bucketAt: Date; used: number }>`
    insert into budget_usage as u (key, bucket_at, used, room, granted, forget_at)
    select n.key, n."bucketAt", n.used, 0, 0, n."forgetAt"
      from jsonb_to_recordset(${JSON.stringify(notes)}::jsonb)
        as n(key text, "bucketAt" timestamptz, used int, "forgetAt" timestamptz)
     order by n.key, n."bucketAt"
    on conflict (key, bucket_at) do update set used = u.used + excluded.used
    returning u.key, u.bucket_at, u.used`.execute(db);
  const totals = new Map(rows.map((row) => [`${row.key} ${row.bucketAt.getTime()}`, row.used]));
  return notes.map(({ key, bucketAt }) => totals.get(`${key} ${bucketAt.getTime()}`) ?? 0);
}

/** Removes what counts for nothing any more. Repeatable. */
export async function forgetOldBudgets(db: Db): Promise<void> {
  // A margin, because workers read the time a moment before they take.
  await sql`delete from budget_usage where forget_at < clock() - interval '1 minute'`.execute(db);
}
