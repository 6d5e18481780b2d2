import { sql } from "kysely";
import type { Db } from "../db/client.ts";
import { countOverdue, type OverdueCount } from "../db/overdue.ts";
import type { Attention } from "../domain/channel.ts";
import { readForecasts, type ChannelForecast } from "./forecasts.ts";
import { readWorkers, type Workers } from "./workers.ts";

/** States in which a delivery waits for a person. */
export const WAITING_STATES = [
  "failed",
  "unknown",
  "partial",
  "missed",
  "held",
  "expired",
] as const;

interface AtRisk {
  readonly channelId: string;
  readonly name: string;
  readonly platform: string;
  readonly attention: Attention | null;
  readonly deliveriesAtStake: number;
}

interface SignInEnding {
  readonly channelId: string;
  readonly name: string;
  readonly platform: string;
  readonly signInEndsAt: Date;
  readonly deliveriesAtStake: number;
}

export interface PublishingOutlook {
  readonly at: Date;
  readonly due: number;
  readonly channelsAtRisk: readonly AtRisk[];
  readonly signInsEnding: readonly SignInEnding[];
  readonly waiting: Readonly<Record<(typeof WAITING_STATES)[number], number>>;
  readonly overdue: OverdueCount;
  readonly forecasts: readonly ChannelForecast[];
  readonly workers: Workers;
}

/** What the next 24 hours of a workspace depend on. */
export async function readOutlook(
  db: Db,
  workspaceId: string,
  { overdueAfterMs }: { readonly overdueAfterMs: number },
): Promise<PublishingOutlook> {
  const [due, channelsAtRisk, signInsEnding, waiting, overdue, forecasts, workers] =
    await Promise.all([
      countDue(db, workspaceId),
      findChannelsAtRisk(db, workspaceId),
      findSignInsEnding(db, workspaceId),
      countWaiting(db, workspaceId),
      countOverdue(db, overdueAfterMs, workspaceId),
      readForecasts(db, workspaceId),
      readWorkers(db),
    ]);
  return { ...due, channelsAtRisk, signInsEnding, waiting, overdue, forecasts, workers };
}

async function countDue(db: Db, workspaceId: string): Promise<{ at: Date; due: number }> {
  const { rows } = await sql<{ at: Date; due: number }>`
    select clock() as at, count(*) as due from deliveries
     where workspace_id = ${workspaceId} and state = any('{scheduled,preparing,sending}')
       and due_at <= clock() + interval '24 hours'`.execute(db);
  const row = rows[0];
  if (!row) throw new Error("An aggregate gave no row.");
  return row;
}

async function findChannelsAtRisk(db: Db, workspaceId: string): Promise<AtRisk[]> {
  const { rows } = await sql<AtRisk>`
    select c.id as channel_id, c.name, c.platform, c.attention,
           (select count(*) from deliveries d
             where d.channel_id = c.id and d.next_at is not null and d.published_at is null
               and d.due_at <= clock() + interval '24 hours') as deliveries_at_stake
      from channels c
     where c.workspace_id = ${workspaceId} and c.removed_at is null and c.state = 'needs_attention'
     order by deliveries_at_stake desc, c.id`.execute(db);
  return rows;
}

/** Those that need no person are renewed long before. */
async function findSignInsEnding(db: Db, workspaceId: string): Promise<SignInEnding[]> {
  const { rows } = await sql<SignInEnding>`
    select c.id as channel_id, c.name, c.platform, c.sign_in_ends_at,
           (select count(*) from deliveries d
             where d.channel_id = c.id and d.next_at is not null and d.published_at is null
               and d.due_at > c.sign_in_ends_at and d.due_at <= clock() + interval '24 hours') as deliveries_at_stake
      from channels c
     where c.workspace_id = ${workspaceId} and c.removed_at is null and c.state = 'connected'
       and not c.sign_in_renews and c.sign_in_ends_at <= clock() + interval '7 days'
     order by c.sign_in_ends_at, c.id`.execute(db);
  return rows;
}

async function countWaiting(db: Db, workspaceId: string): Promise<PublishingOutlook["waiting"]> {
  const { rows } = await sql<{ state: string; count: number }>`
    select state, count(*) as count from deliveries
     where workspace_id = ${workspaceId} and state = any(${[...WAITING_STATES]})
       -- Some of these still have a worker on them, that asks the platform or goes on.
       and (next_at is null or state = 'unknown')
     group by state`.execute(db);
  const counted = new Map(rows.map((row) => [row.state, row.count]));
  const of = (state: (typeof WAITING_STATES)[number]) => counted.get(state) ?? 0;
  return {
    failed: of("failed"),
    unknown: of("unknown"),
    partial: of("partial"),
    missed: of("missed"),
    held: of("held"),
    expired: of("expired"),
  };
}
