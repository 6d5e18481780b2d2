import { sql } from "kysely";
import type { Capabilities } from "../connectors/capabilities.ts";
import type { Attention } from "../domain/channel.ts";
import type { PartContent } from "../domain/content.ts";
import type { Forecast } from "../domain/preflight.ts";
import type { WaitReason } from "../domain/wait.ts";
import type { Db } from "./client.ts";
import { tellOwners } from "./notices.ts";

/** A delivery that is to be looked at, with what it is made of. */
export interface DuePreflight {
  readonly id: string;
  readonly postId: string;
  readonly version: number;
  readonly dueAt: Date;
  readonly latestAt: Date;
  readonly localTime: string | null;
  readonly zone: string | null;
  readonly tzdb: string | null;
  readonly contentHash: string;
  /** Has its own time, not that of another try. */
  readonly isUntried: boolean;
  readonly isHeld: boolean;
  readonly parts: readonly PartContent[];
  readonly variant: { readonly parts: readonly PartContent[] } | null;
  readonly link: string | null;
}

/** What all deliveries of a channel depend on. */
export interface PreflightChannel {
  readonly id: string;
  readonly workspaceId: string;
  readonly name: string;
  readonly platform: string;
  readonly host: string;
  readonly capabilities: Capabilities;
  readonly attention: Attention | null;
  readonly signInEndsAt: Date | null;
  readonly signInRenews: boolean;
  readonly isOut: boolean;
  readonly waitUntil: Date | null;
  readonly waitReason: WaitReason | null;
}

/** What is to be looked at on one channel. */
export interface DuePreflights {
  readonly channel: PreflightChannel;
  readonly deliveries: readonly DuePreflight[];
  /** `clock()` of the same instant. */
  readonly now: Date;
}

/** At most this many deliveries are held in memory at a time. */
const LIMIT = 100;

/** What is due on a channel, in the order of the times; null for nothing. */
export async function duePreflights(db: Db, channelId: string): Promise<DuePreflights | null> {
  const deliveries = await sql<DuePreflight>`
    select d.id, d.post_id, d.version, d.due_at, d.latest_at, d.local_time, d.zone, d.tzdb, d.content_hash,
           d.next_at = d.due_at as is_untried,
           is_held(d.workspace_id, d.channel_id, p.campaign, p.labels, d.due_at) as is_held,
           p.parts, p.link, pc.variant
      from deliveries d join posts p on p.id = d.post_id
      left join post_channels pc on pc.post_id = d.post_id and pc.channel_id = d.channel_id
     where d.channel_id = ${channelId} and d.preflight_at is not null and d.preflight_at <= clock()
       and d.state = 'scheduled' and d.due_at > clock()
     order by d.due_at, d.id limit ${LIMIT}`.execute(db);
  if (deliveries.rows.length === 0) return null;
  const channels = await sql<PreflightChannel & { now: Date }>`
    select c.id, c.workspace_id, c.name, c.platform, w.host, c.capabilities, c.attention, c.sign_in_ends_at,
           c.sign_in_renews, w.is_out, w.until as wait_until, w.reason as wait_reason, clock() as now
      from channels c join channel_waits w on w.channel_id = c.id
     where c.id = ${channelId} and c.removed_at is null`.execute(db);
  const [row] = channels.rows;
  if (!row) return null;
  const { now, ...channel } = row;
  return { channel, deliveries: deliveries.rows, now };
}

/** Posts that go out, or went out, at one time. */
export interface BusyTime {
  readonly at: Date;
  /** Parts, as budgets count them. */
  readonly posts: number;
  /** Null where it stands for several deliveries. */
  readonly deliveryId: string | null;
}

/** What else goes out on a channel between two instants, and went out; in order. */
export async function busyTimesOfChannel(
  db: Db,
  { id, workspaceId }: Pick<PreflightChannel, "id" | "workspaceId">,
  from: Date,
  to: Date,
): Promise<readonly BusyTime[]> {
  const { rows } = await sql<BusyTime>`
    select t.at, t.id as delivery_id, jsonb_array_length(coalesce(pc.variant -> 'parts', p.parts)) as posts
      from (select id, post_id, next_at as at from deliveries
             where channel_id = ${id} and next_at between ${from} and ${to}
               and state in ('scheduled', 'preparing', 'sending')
             union all
            select id, post_id, published_at from deliveries
             where workspace_id = ${workspaceId} and channel_id = ${id} and published_at between ${from} and ${to}) t
      join posts p on p.id = t.post_id
      left join post_channels pc on pc.post_id = t.post_id and pc.channel_id = ${id}
     order by t.at, t.id`.execute(db);
  return rows;
}

/** The same for all channels that share our app on a platform and server. */
export async function busyTimesOfApp(
  db: Db,
  { platform, host }: Pick<PreflightChannel, "platform" | "host">,
  from: Date,
  to: Date,
): Promise<readonly BusyTime[]> {
  const { rows } = await sql<BusyTime>`
    select t.at, null as delivery_id, sum(jsonb_array_length(coalesce(pc.variant -> 'parts', p.parts)))::int as posts
      from channels c
     cross join lateral (
           select post_id, next_at as at from deliveries
            where channel_id = c.id and next_at between ${from} and ${to}
              and state in ('scheduled', 'preparing', 'sending')
            union all
           select post_id, published_at from deliveries
            where workspace_id = c.workspace_id and channel_id = c.id and published_at between ${from} and ${to}) t
      join posts p on p.id = t.post_id
      left join post_channels pc on pc.post_id = t.post_id and pc.channel_id = c.id
     where c.platform = ${platform} and coalesce(c.host, '') = ${host}
     group by t.at order by t.at`.execute(db);
  return rows;
}

export interface PreflightRecord {
  readonly deliveryId: string;
  /** As it was when it was looked at: what was changed since is looked at again. */
  readonly version: number;
  readonly forecast: Forecast;
  readonly nextAt: Date | null;
  readonly isNewsToOwners: boolean;
}

/** Stores forecasts, and says where one has turned red, or is red no more. */
export async function recordPreflights(db: Db, records: readonly PreflightRecord[]): Promise<void> {
  if (records.length === 0) return;
  await sql`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(records)}::jsonb)
        as g("deliveryId" uuid, version int, forecast jsonb, "nextAt" timestamptz, "isNewsToOwners" bool)),
    before as (
      -- In one order, as somebody may be planning the same deliveries.
      select d.id, d.workspace_id, d.post_id, d.due_at, coalesce(d.preflight ->> 'light' = 'red', false) as was_red,
             g.forecast ->> 'light' = 'red' as is_red, g.forecast, g."nextAt" as next_at, g."isNewsToOwners" as is_news
        from deliveries d join given g on d.id = g."deliveryId" and d.version = g.version
       where d.state = 'scheduled' order by d.id for no key update of d),
    stored as (
      update deliveries d
         set preflight = b.forecast || jsonb_build_object('checkedAt', clock()), preflight_at = b.next_at
        from before b where d.id = b.id),
    reddened as (
      select id, workspace_id, post_id, null::text as reason,
             to_char(due_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as cause
        from before where is_red and is_news),
    ${tellOwners("reddened", "delivery.preflight_red")}
    insert into events (workspace_id, type, subject_id)
    select workspace_id, case when is_red then 'delivery.preflight_red' else 'delivery.preflight_cleared' end, id
      from before where is_red <> was_red`.execute(db);
}
