import { sql } from "kysely";
import type { Db } from "../db/client.ts";
import type { DeliveryState } from "../domain/delivery.ts";
import { FORECAST_LIGHTS, type ForecastLight } from "./forecasts.ts";
import { WAITING_STATES } from "./status.ts";
import { readWorkers } from "./workers.ts";

/** States that few deliveries are in, so that counting them costs little however large the plan and the past are. */
const COUNTED: readonly DeliveryState[] = ["preparing", "sending", ...WAITING_STATES];

export interface Gauges {
  /** Every counted state is there, with 0 where no delivery is in it. */
  readonly deliveriesByState: ReadonlyMap<DeliveryState, number>;
  /** Subjects that a worker should have looked at by now. */
  readonly outboxOverdue: number;
  /** How late the oldest of them is; 0 where there is none. */
  readonly outboxOldestSeconds: number;
  /** How late the oldest is that nobody has even handed to the queue; 0 where there is none. */
  readonly promoterLagSeconds: number;
  /** Subjects whose worker died, and that nobody has taken over yet. */
  readonly leasesExpired: number;
  readonly workersAlive: number;
}

/** The whole installation in numbers. */
export async function readGauges(db: Db): Promise<Gauges> {
  const states = await sql<{ state: DeliveryState; count: number }>`
    select s.state, (select count(*) from workspaces w join deliveries d
                        on d.workspace_id = w.id and d.state = s.state) as count
      from unnest(${[...COUNTED]}::text[]) as s(state)`.execute(db);
  const outbox = await sql<Record<"overdue" | "oldest" | "lag" | "expired", number>>`
    select count(*) as overdue,
           coalesce(extract(epoch from clock() - min(run_at)), 0)::float8 as oldest,
           coalesce(extract(epoch from clock() - min(run_at) filter (where handed_at is null)), 0)::float8 as lag,
           count(*) filter (where leased_until is not null) as expired
      from outbox where run_at <= clock() and (leased_until is null or leased_until <= now())`.execute(
    db,
  );
  const { overdue = 0, oldest = 0, lag = 0, expired = 0 } = outbox.rows[0] ?? {};
  return {
    deliveriesByState: new Map(states.rows.map((row) => [row.state, row.count])),
    outboxOverdue: overdue,
    outboxOldestSeconds: oldest,
    promoterLagSeconds: lag,
    leasesExpired: expired,
    workersAlive: (await readWorkers(db)).alive,
  };
}

/** When a sign-in ends. */
export interface SignInGauge {
  readonly channelId: string;
  readonly platform: string;
  readonly renews: boolean;
  /** Negative where it has ended. */
  readonly seconds: number;
}

/** Of the channels whose platform says when it ends. */
export async function readSignInGauges(db: Db): Promise<readonly SignInGauge[]> {
  const { rows } = await sql<SignInGauge>`
    select id as channel_id, platform, sign_in_renews as renews,
           extract(epoch from sign_in_ends_at - clock())::float8 as seconds
      from channels where removed_at is null and sign_in_ends_at is not null`.execute(db);
  return rows;
}

/** How many of the deliveries of the next 24 hours have which light. */
export async function readForecastGauges(
  db: Db,
): Promise<readonly { light: ForecastLight; count: number }[]> {
  const { rows } = await sql<{ light: ForecastLight; count: number }>`
    select l.light, count(d.id) as count
      from unnest(${[...FORECAST_LIGHTS]}::text[]) as l(light)
      left join (workspaces w join deliveries d on d.workspace_id = w.id and d.state = 'scheduled'
                   and d.due_at <= clock() + interval '24 hours') on coalesce(d.preflight ->> 'light', 'unchecked') = l.light
     group by l.light`.execute(db);
  return rows;
}
