import { sql } from "kysely";
import type { Db } from "../db/client.ts";
import type { DeliveryState } from "../domain/delivery.ts";
import { WAITING_STATES } from "./status.ts";

/** States that few deliveries are in, so that counting them costs little however large the plan and the past are. */
const COUNTED: readonly DeliveryState[] = ["preparing", "sending", ...WAITING_STATES];

export interface Gauges {
  /** Every counted state is there, with 0 where no delivery is in it. */
  readonly deliveriesByState: ReadonlyMap<DeliveryState, number>;
  /** Subjects that a worker should have looked at by now. */
  readonly outboxOverdue: number;
  /** How late the oldest of them is; 0 where there is none. */
  readonly outboxOldestSeconds: number;
}

/** The whole installation in numbers. */
export async function readGauges(db: Db): Promise<Gauges> {
  const states = await sql<{ state: DeliveryState; count: number }>`
    select s.state, (select count(*) from workspaces w join deliveries d
                        on d.workspace_id = w.id and d.state = s.state) as count
      from unnest(${[...COUNTED]}::text[]) as s(state)`.execute(db);
  const outbox = await sql<{ overdue: number; oldest: number }>`
    select count(*) as overdue,
           coalesce(extract(epoch from clock() - min(run_at)), 0)::float8 as oldest
      from outbox where run_at <= clock() and (leased_until is null or leased_until <= now())`.execute(
    db,
  );
  return {
    deliveriesByState: new Map(states.rows.map((row) => [row.state, row.count])),
    outboxOverdue: outbox.rows[0]?.overdue ?? 0,
    outboxOldestSeconds: outbox.rows[0]?.oldest ?? 0,
  };
}
