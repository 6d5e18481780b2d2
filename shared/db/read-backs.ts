import { sql } from "kysely";
import type { PartContent } from "../domain/content.ts";
import type { FailureKind } from "../domain/failure.ts";
import type { Difference, Verdict } from "../domain/read-back.ts";
import type { Db } from "./client.ts";
import type { ChannelRow } from "./tables.ts";

/** A published delivery whose receipt is to be checked now, with what it was made of. */
export interface DueReadBack {
  readonly id: string;
  readonly workspaceId: string;
  readonly publishedAt: Date;
  readonly contentHash: string;
  /** Looks of this check that failed. */
  readonly tries: number;
  readonly parts: readonly PartContent[];
  readonly variant: { readonly parts: readonly PartContent[] } | null;
  readonly link: string | null;
  readonly capabilities: ChannelRow["capabilities"];
  /** In the order of the parts. */
  readonly receipts: readonly { readonly part: number; readonly remoteId: string }[];
}

/** What is to be checked on one channel. */
export interface DueReadBacks {
  readonly channel: Pick<
    ChannelRow,
    "id" | "platform" | "capabilities" | "sealedCredentials" | "credentialsVersion"
  >;
  readonly deliveries: readonly DueReadBack[];
  /** `clock()` of the same instant. */
  readonly now: Date;
}

/** At most this many deliveries are held in memory at a time. */
const LIMIT = 100;

/** What is due on a channel, longest due first; null for nothing. */
export async function dueReadBacks(db: Db, channelId: string): Promise<DueReadBacks | null> {
  const { rows } = await sql<DueReadBack & DueReadBacks["channel"] & { now: Date }>`
    select d.id, d.workspace_id, d.published_at, d.content_hash, d.read_back_tries as tries, clock() as now,
           p.parts, p.link, pc.variant,
           c.platform, c.capabilities, c.sealed_credentials, c.credentials_version,
           (select jsonb_agg(jsonb_build_object('part', r.part, 'remoteId', r.remote_id) order by r.part)
              from receipts r where r.delivery_id = d.id) as receipts
      from deliveries d
      join channels c on c.id = d.channel_id
      join posts p on p.id = d.post_id
      left join post_channels pc on pc.post_id = d.post_id and pc.channel_id = d.channel_id
     where d.channel_id = ${channelId} and d.read_back_at is not null and d.read_back_at <= clock()
       and d.state = 'published'
     order by d.read_back_at, d.id limit ${LIMIT}`.execute(db);
  const [first] = rows;
  if (!first) return null;
  const { platform, capabilities, sealedCredentials, credentialsVersion, now } = first;
  const channel = { id: channelId, platform, capabilities, sealedCredentials, credentialsVersion };
  return { channel, deliveries: rows, now };
}

/** The end of one check. */
export interface ReadBackRecord {
  readonly deliveryId: string;
  readonly verdict: Verdict;
  readonly differences: readonly Difference[];
  /** For `unreadable`, and null otherwise. */
  readonly reason: FailureKind | null;
  readonly nextAt: Date | null;
}

/**
 * Adds verdicts, plans the next checks, and tells of a post that is not as it was sent, once for each kind of news. What
 * could not be read says nothing, so it hides no earlier verdict.
 */
export async function recordReadBacks(db: Db, records: readonly ReadBackRecord[]): Promise<void> {
  await sql`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(records)}::jsonb)
        as g("deliveryId" uuid, verdict text, differences jsonb, reason text, "nextAt" timestamptz)),
    before as (
      -- In one order, as another worker may be reading the engagement of the same deliveries.
      select d.id, d.workspace_id, d.read_back from deliveries d join given g on d.id = g."deliveryId"
       order by d.id for update of d),
    taken as (
      insert into read_backs (delivery_id, verdict, differences, reason)
      select "deliveryId", verdict, differences, reason from given on conflict do nothing),
    planned as (
      update deliveries d
         set read_back_at = g."nextAt", read_back_tries = 0,
             read_back = case when g.verdict = 'unreadable' then coalesce(b.read_back, g.verdict) else g.verdict end
        from before b join given g on g."deliveryId" = b.id where d.id = b.id)
    insert into events (workspace_id, type, subject_id)
    select b.workspace_id, 'delivery.differs', b.id from before b join given g on g."deliveryId" = b.id
     where g.verdict in ('differs', 'missing') and b.read_back is distinct from g.verdict`.execute(
    db,
  );
}

export interface PostponedReadBack {
  readonly deliveryId: string;
  readonly until: Date;
  /** The platform could not be read; false where it was read too early. */
  readonly hasFailed: boolean;
}

/** Looks again later. */
export async function postponeReadBacks(
  db: Db,
  postponed: readonly PostponedReadBack[],
): Promise<void> {
  await sql`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(postponed)}::jsonb)
        as g("deliveryId" uuid, until timestamptz, "hasFailed" bool)),
    locked as (
      select d.id from deliveries d join given g on d.id = g."deliveryId" order by d.id for update of d)
    update deliveries d
       set read_back_at = g.until, read_back_tries = d.read_back_tries + g."hasFailed"::int
      from locked l join given g on g."deliveryId" = l.id where d.id = l.id`.execute(db);
}

/** Plans no more checks on a channel: its platform cannot be read back. */
export async function dropReadBacks(db: Db, channelId: string): Promise<void> {
  await db
    .updateTable("deliveries")
    .set({ readBackAt: null })
    .where("channelId", "=", channelId)
    .where("readBackAt", "is not", null)
    .execute();
}
