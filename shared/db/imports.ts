import { sql } from "kysely";
import type { Db, Tx } from "./client.ts";
import type { ChannelReference, MediumReference } from "./post-references.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** One import at a time in a workspace: the second one of two that run at once then finds the posts of the first. */
export async function lockImports(tx: Tx, workspaceId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`import/${workspaceId}`}, 0))`.execute(
    tx,
  );
}

/** Channels by their names in lower case. Inside a transaction they cannot be removed before its end. */
export async function channelsByName(
  db: Db,
  workspaceId: string,
): Promise<ReadonlyMap<string, ChannelReference>> {
  const { rows } = await sql<ChannelReference>`
    select id, name, platform, capabilities from channels
     where workspace_id = ${workspaceId} and removed_at is null
     order by id for key share`.execute(db);
  return new Map(rows.map((row) => [row.name.toLowerCase(), row]));
}

/** Media by file name and by id. Of several files with one name, the newest one is meant. */
export async function mediaByName(
  db: Db,
  workspaceId: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, MediumReference>> {
  if (names.length === 0) return new Map();
  const ids = names.filter((name) => UUID.test(name));
  const { rows } = await sql<MediumReference>`
    select id, filename, content_type, byte_length, sha256, alt_text from media
     where workspace_id = ${workspaceId} and removed_at is null
       and (filename = any(${names}) or id = any(${ids}::uuid[]))
     order by id for key share`.execute(db);
  return new Map(rows.flatMap((row) => [[row.filename, row] as const, [row.id, row] as const]));
}

/** A post that an earlier import may have made. */
export interface KnownPost {
  readonly externalId: string;
  readonly contentHash: string;
  readonly channelIds: readonly string[];
  /** Of the deliveries that still wait for their time. */
  readonly waitingFor: readonly string[];
}

export async function postsByExternalId(
  db: Db,
  workspaceId: string,
  externalIds: readonly string[],
): Promise<ReadonlyMap<string, KnownPost>> {
  if (externalIds.length === 0) return new Map();
  const { rows } = await sql<KnownPost>`
    select p.external_id, p.content_hash,
           array(select pc.channel_id::text from post_channels pc where pc.post_id = p.id) as channel_ids,
           coalesce((select jsonb_agg(d.due_at) from deliveries d
                      where d.post_id = p.id and d.state = 'scheduled'
                        -- Says nothing new, but lets the index of living deliveries be used.
                        and d.state not in ('cancelled', 'removed')), '[]') as waiting_for
      from posts p
     where p.workspace_id = ${workspaceId} and p.external_id = any(${externalIds})`.execute(db);
  return new Map(rows.map((row) => [row.externalId, row]));
}

/** Which of the given media a post shows already. */
export async function mediaShown(
  db: Db,
  workspaceId: string,
  mediaIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (mediaIds.length === 0) return new Set();
  const { rows } = await sql<{ mediaId: string }>`
    with shown as (
      select jsonb_path_query(p.parts, '$[*].mediaIds[*]') #>> '{}' as media_id from posts p
       where p.workspace_id = ${workspaceId} and p.removed_at is null
      union
      select jsonb_path_query(pc.variant, '$.parts[*].mediaIds[*]') #>> '{}' from post_channels pc
       where pc.workspace_id = ${workspaceId} and pc.variant is not null)
    select media_id from shown where media_id = any(${mediaIds})`.execute(db);
  return new Set(rows.map(({ mediaId }) => mediaId));
}

/** Describes media that had no words yet. @param altTexts by medium id */
export async function describeMedia(
  tx: Tx,
  workspaceId: string,
  altTexts: ReadonlyMap<string, string>,
): Promise<void> {
  if (altTexts.size === 0) return;
  const given = JSON.stringify([...altTexts].map(([id, altText]) => ({ id, altText })));
  await sql`
    with described as (
      update media m set alt_text = g."altText"
        from jsonb_to_recordset(${given}::jsonb) as g(id uuid, "altText" text)
       where m.id = g.id and m.workspace_id = ${workspaceId} and m.alt_text = ''
      returning m.id)
    insert into events (workspace_id, type, subject_id)
    select ${workspaceId}, 'media.updated', id from described`.execute(tx);
}
