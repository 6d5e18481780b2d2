import { sql } from "kysely";
import type { Capabilities } from "../connectors/capabilities.ts";
import type { Db } from "./client.ts";

/** What planning a post needs to know of a channel. */
export interface ChannelReference {
  readonly id: string;
  readonly name: string;
  readonly platform: string;
  readonly capabilities: Capabilities;
}

/** What planning a post needs to know of a medium. */
export interface MediumReference {
  readonly id: string;
  readonly filename: string;
  readonly contentType: string;
  readonly byteLength: number;
  readonly sha256: string;
  readonly altText: string;
}

/**
 * Those of the given channels that are in the workspace and were not removed. Inside a transaction they cannot be removed
 * before its end.
 */
export async function findChannels(
  db: Db,
  workspaceId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ChannelReference>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<ChannelReference>`
    select id, name, platform, capabilities from channels
     where workspace_id = ${workspaceId} and id = any(${ids}::uuid[]) and removed_at is null
     order by id ${db.isTransaction ? sql`for key share` : sql``}`.execute(db);
  return new Map(rows.map((row) => [row.id, row]));
}

/** Those of the given media that are in the workspace and were not removed. */
export async function findMedia(
  db: Db,
  workspaceId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, MediumReference>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<MediumReference>`
    select id, filename, content_type, byte_length, sha256, alt_text from media
     where workspace_id = ${workspaceId} and id = any(${ids}::uuid[]) and removed_at is null`.execute(
    db,
  );
  return new Map(rows.map((row) => [row.id, row]));
}
