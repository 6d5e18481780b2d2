import { sql } from "kysely";
import type { Db } from "../db/client.ts";
import type { BreakerState } from "../domain/outage.ts";
import type { WaitReason } from "../domain/wait.ts";

/** How a platform, or one server of it, is doing for the channels of a workspace. */
export interface PlatformHealth {
  readonly platform: string;
  /** Null where the platform is not many servers. */
  readonly host: string | null;
  readonly breaker: BreakerState;
  /** Null where it has never opened. */
  readonly since: Date | null;
  /** When it is tried again; null while it answers. */
  readonly retryAt: Date | null;
  /** Until when our app may post nothing there; null where it may. */
  readonly appWaitsUntil: Date | null;
  /** Deliveries whose time has come, and that wait for it. */
  readonly waitingDeliveries: number;
}

/** Every platform that the workspace has channels on. */
export async function readPlatformHealth(db: Db, workspaceId: string): Promise<PlatformHealth[]> {
  const { rows } = await sql<PlatformHealth>`
    select c.platform, nullif(c.host, '') as host, coalesce(h.breaker, 'closed') as breaker,
           case when h.openings > 0 then h.since end as since, h.retry_at,
           case when h.wait_until > clock() then h.wait_until end as app_waits_until,
           case when coalesce(h.breaker, 'closed') = 'closed' and coalesce(h.wait_until <= clock(), true) then 0 else (
             select count(*) from deliveries d join channels own on own.id = d.channel_id
              where own.workspace_id = ${workspaceId} and own.platform = c.platform and coalesce(own.host, '') = c.host
                and d.next_at <= clock() and d.state in ('scheduled', 'preparing', 'partial', 'unknown')) end as waiting_deliveries
      from (select distinct platform, coalesce(host, '') as host from channels
             where workspace_id = ${workspaceId} and removed_at is null) c
      left join platform_health h on h.platform = c.platform and h.host = c.host
     order by c.platform, c.host`.execute(db);
  return rows;
}

/** The whole installation in numbers. */
export interface WaitGauges {
  readonly breakers: readonly { platform: string; host: string; breaker: BreakerState }[];
  /** Channels that have something due and must wait. */
  readonly channelsWaiting: ReadonlyMap<string, number>;
}

export async function readWaitGauges(db: Db): Promise<WaitGauges> {
  const breakers = await sql<{ platform: string; host: string; breaker: BreakerState }>`
    select platform, host, breaker from platform_health where openings > 0`.execute(db);
  const waiting = await sql<{ reason: WaitReason; count: number }>`
    select w.reason, count(*) as count
      from channel_waits w
     where w.is_waiting and exists (
           select 1 from deliveries d where d.channel_id = w.channel_id and d.next_at <= clock())
     group by w.reason`.execute(db);
  return {
    breakers: breakers.rows,
    channelsWaiting: new Map(waiting.rows.map(({ reason, count }) => [reason, count])),
  };
}
