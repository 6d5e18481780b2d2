import { sql } from "kysely";
import type { Db } from "../db/client.ts";
import { LIGHTS, type Reason } from "../domain/preflight.ts";

/** `unchecked`: not looked at yet, which it is within seconds where a worker lives. */
export const FORECAST_LIGHTS = [...LIGHTS, "unchecked"] as const;
export type ForecastLight = (typeof FORECAST_LIGHTS)[number];

/** What is foretold of the next 24 hours of one channel. */
export interface ChannelForecast {
  readonly channelId: string;
  readonly name: string;
  readonly platform: string;
  readonly lights: Readonly<Record<ForecastLight, number>>;
  /** The first of them. */
  readonly reds: readonly RedDelivery[];
}

export interface RedDelivery {
  readonly deliveryId: string;
  readonly dueAt: Date;
  readonly reasons: readonly Reason[];
}

/** So many red deliveries of a channel are named: one cause often reddens all. */
const REDS_NAMED = 10;

/** Every channel of a workspace on which something is due within 24 hours. */
export async function readForecasts(db: Db, workspaceId: string): Promise<ChannelForecast[]> {
  const counted = await sql<
    Record<ForecastLight, number> & Omit<ChannelForecast, "lights" | "reds">
  >`
    select c.id as channel_id, c.name, c.platform,
           count(*) filter (where d.preflight ->> 'light' = 'green') as green,
           count(*) filter (where d.preflight ->> 'light' = 'amber') as amber,
           count(*) filter (where d.preflight ->> 'light' = 'red') as red,
           count(*) filter (where d.preflight is null) as unchecked
      from deliveries d join channels c on c.id = d.channel_id
     where d.workspace_id = ${workspaceId} and d.state = 'scheduled' and d.due_at <= clock() + interval '24 hours'
     group by c.id order by c.id`.execute(db);
  const reds = await readReds(db, workspaceId);
  return counted.rows.map(({ channelId, name, platform, green, amber, red, unchecked }) => ({
    channelId,
    name,
    platform,
    lights: { green, amber, red, unchecked },
    reds: reds.filter((one) => one.channelId === channelId),
  }));
}

async function readReds(
  db: Db,
  workspaceId: string,
): Promise<readonly (RedDelivery & { channelId: string })[]> {
  const { rows } = await sql<RedDelivery & { channelId: string }>`
    select channel_id, id as delivery_id, due_at, preflight -> 'reasons' as reasons
      from (select *, row_number() over (partition by channel_id order by due_at, id) as place
              from deliveries
             where workspace_id = ${workspaceId} and state = 'scheduled' and due_at <= clock() + interval '24 hours'
               and preflight ->> 'light' = 'red') red
     where place <= ${REDS_NAMED} order by due_at, id`.execute(db);
  return rows;
}
