import type { DrillDatabase } from "./database.ts";

/** What Postwell says about one delivery, when all is over. */
export interface LedgerEntry {
  readonly id: string;
  readonly state: string;
  readonly kind: string | null;
  readonly dueAt: Date;
  readonly nextAt: Date | null;
  readonly tries: number;
  readonly attempts: number;
  /** Attempts without an answer. */
  readonly open: number;
  /** Outcomes, oldest attempt first. */
  readonly outcomes: readonly string[];
  readonly firstArmedAt: Date | null;
  readonly receipts: readonly { part: number; remoteId: string; knownBy: string }[];
  /** How often it was moved or changed in any way; one that goes out at the first try is told of once. */
  readonly events: number;
}

export function readLedger(database: DrillDatabase): Promise<LedgerEntry[]> {
  return database.rows<LedgerEntry & Record<string, unknown>>(
    `select d.id, d.state, d.error ->> 'kind' as kind, d.due_at as "dueAt", d.next_at as "nextAt", d.tries,
            coalesce(a.attempts, 0) as attempts, coalesce(a.open, 0) as open, coalesce(a.outcomes, '{}') as outcomes,
            a."firstArmedAt", coalesce(r.receipts, '[]') as receipts,
            coalesce(e.events, 0) as events
       from deliveries d
       left join (select a.delivery_id, count(*)::int as attempts,
                         (count(*) filter (where o.attempt_id is null))::int as open,
                         array_agg(coalesce(o.outcome, '') order by a.armed_at, a.id) as outcomes,
                         min(a.armed_at) as "firstArmedAt"
                    from attempts a left join attempt_outcomes o on o.attempt_id = a.id group by a.delivery_id) a
         on a.delivery_id = d.id
       left join (select delivery_id, jsonb_agg(jsonb_build_object('part', part, 'remoteId', remote_id,
                                                                   'knownBy', known_by) order by part) as receipts
                    from receipts group by delivery_id) r
         on r.delivery_id = d.id
       left join (select subject_id, count(*)::int as events from events group by subject_id) e on e.subject_id = d.id`,
  );
}

/** How many deliveries are in which state. */
export async function countStates(database: DrillDatabase): Promise<Map<string, number>> {
  const rows = await database.tryRows<{ state: string; count: number }>(
    "select state, count(*)::int as count from deliveries group by state order by state",
  );
  return new Map(rows.map(({ state, count }) => [state, count]));
}

/** Deliveries that neither ended nor wait for a person who has given up. */
export async function countUnsettled(
  database: DrillDatabase,
  givenUp: ReadonlySet<string>,
): Promise<number> {
  const [row] = await database.tryRows<{ count: number }>(
    `select count(*)::int as count from deliveries
      where state not in ('published', 'cancelled', 'removed') and not (id = any($1::uuid[]))`,
    [[...givenUp]],
  );
  return row?.count ?? 0;
}

/** Subjects that should have been looked at long ago, and that nobody is looking at. */
export async function readStuck(database: DrillDatabase): Promise<string[]> {
  const rows = await database.rows<{ sentence: string }>(
    `select format('%s for %s should have run %s s ago', job, subject_id,
                   round(extract(epoch from clock() - run_at))) as sentence
       from outbox where run_at < clock() - interval '15 seconds' and (leased_until is null or leased_until < now())`,
  );
  return rows.map(({ sentence }) => sentence);
}
