import { sql } from "kysely";
import type { Scope } from "../domain/permission.ts";
import type { Db, Tx } from "./client.ts";
import { inRoundsOf } from "./rounds.ts";

const TOKENS_TOGETHER = 100;

/** Whose token it is and what it may do. */
export interface KnownToken {
  readonly id: string;
  readonly workspaceId: string;
  readonly scope: Scope;
}

/**
 * By its hash; null for a token that is unknown, revoked or past its end. Requests that come at the same time share one look into a
 * unique index.
 */
export const findToken = inRoundsOf(TOKENS_TOGETHER, findTokens);

async function findTokens(
  db: Db,
  hashes: readonly Buffer[],
): Promise<readonly (KnownToken | null)[]> {
  const { rows } = await sql<KnownToken & { tokenHash: Buffer }>`
    select id, workspace_id, scope, token_hash from api_tokens
     where token_hash = any(${hashes}::bytea[]) and revoked_at is null
       and (expires_at is null or expires_at > clock())`.execute(db);
  return hashes.map((hash) => {
    const row = rows.find(({ tokenHash }) => tokenHash.equals(hash));
    return row ? { id: row.id, workspaceId: row.workspaceId, scope: row.scope } : null;
  });
}

/** @param token.lastsDays null for a token that does not end */
export async function insertToken(
  tx: Tx,
  token: KnownToken & { name: string; hash: Buffer; lastsDays: number | null },
): Promise<void> {
  const { id, workspaceId, scope, name, hash, lastsDays } = token;
  const expiresAt =
    lastsDays === null ? null : sql<Date>`clock() + ${lastsDays} * interval '1 day'`;
  await tx
    .insertInto("apiTokens")
    .values({ id, workspaceId, scope, name, tokenHash: hash, expiresAt })
    .execute();
}

/** Whether any token was ever made in this installation. */
export async function hasTokens(db: Db): Promise<boolean> {
  const row = await db.selectFrom("apiTokens").select("id").limit(1).executeTakeFirst();
  return row !== undefined;
}

/** For long connections: whether a token that was good is still good. */
export async function isTokenAlive(db: Db, tokenId: string): Promise<boolean> {
  const row = await db
    .selectFrom("apiTokens")
    .select("id")
    .where("id", "=", tokenId)
    .where("revokedAt", "is", null)
    .where(sql<boolean>`(expires_at is null or expires_at > clock())`)
    .executeTakeFirst();
  return row !== undefined;
}

/** A token as the people who look after them see it: nothing of it opens anything. */
export interface ListedToken {
  readonly id: string;
  readonly workspace: string;
  readonly name: string;
  readonly scope: Scope;
  /** Null for one that does not end. */
  readonly expiresAt: Date | null;
  readonly hasEnded: boolean;
  readonly revokedAt: Date | null;
}

/** Oldest first. @param workspaceId null for those of all workspaces: for commands on the server, never for a request */
export function listTokens(db: Db, workspaceId: string | null): Promise<ListedToken[]> {
  return db
    .selectFrom("apiTokens as t")
    .innerJoin("workspaces as w", "w.id", "t.workspaceId")
    .select(["t.id", "w.name as workspace", "t.name", "t.scope", "t.expiresAt", "t.revokedAt"])
    .select(sql<boolean>`coalesce(t.expires_at <= clock(), false)`.as("hasEnded"))
    .$if(workspaceId !== null, (query) => query.where("t.workspaceId", "=", workspaceId))
    .orderBy("t.createdAt")
    .execute();
}

/** From the next request on it opens nothing. Repeatable. @returns null where there is no such token */
export async function revokeToken(db: Db, id: string): Promise<{ readonly name: string } | null> {
  const row = await db
    .updateTable("apiTokens")
    .set({ revokedAt: sql<Date>`coalesce(revoked_at, clock())` })
    .where("id", "=", id)
    .returning("name")
    .executeTakeFirst();
  return row ?? null;
}
