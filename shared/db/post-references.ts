import { sql } from "kysely";
import type { Capabilities } from "../connectors/capabilities.ts";
import type { Db } from "./client.ts";
import { inRoundsOf } from "./rounds.ts";

const QUESTIONS_TOGETHER = 100;

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
  return askForChannels(db, { workspaceId, ids });
}

interface ChannelQuestion {
  readonly workspaceId: string;
  readonly ids: readonly string[];
}

const askForChannels = inRoundsOf(QUESTIONS_TOGETHER, selectChannels);

async function selectChannels(db: Db, questions: readonly ChannelQuestion[]) {
  const all = [...new Set(questions.flatMap(({ ids }) => ids))];
  const { rows } = await sql<ChannelReference & { workspaceId: string }>`
    select id, name, platform, capabilities, workspace_id from channels
     where id = any(${all}::uuid[]) and removed_at is null
     order by id ${db.isTransaction ? sql`for key share` : sql``}`.execute(db);
  return questions.map(({ workspaceId, ids }) => {
    const wanted = new Set(ids);
    const own = rows.filter((row) => row.workspaceId === workspaceId && wanted.has(row.id));
    return new Map<string, ChannelReference>(own.map((row) => [row.id, row]));
  });
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
