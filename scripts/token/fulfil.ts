import { v7 as uuidv7, validate } from "uuid";
import { createToken } from "../../shared/commands/create-token.ts";
import { inTransaction, type Db, type Tx } from "../../shared/db/client.ts";
import { listTokens, revokeToken, type ListedToken } from "../../shared/db/tokens.ts";
import {
  insertWorkspace,
  listWorkspaces,
  type StoredWorkspace,
} from "../../shared/db/workspaces.ts";
import { UsageError, type Wish } from "./wish.ts";

/**
 * Does what is wished for.
 * @returns what to print; only a token that was made just now is a secret
 * @throws {UsageError} one sentence with the remedy
 */
export function fulfil(db: Db, wish: Exclude<Wish, { kind: "help" }>): Promise<string> {
  if (wish.kind === "list") return list(db, wish.workspace);
  return wish.kind === "revoke" ? revoke(db, wish.id) : make(db, wish);
}

function make(db: Db, wish: Extract<Wish, { kind: "make" }>): Promise<string> {
  return inTransaction(db, async (tx) => {
    const { name, scope, days } = wish;
    const workspaceId = await workspaceFor(tx, wish);
    const { token } = await createToken(
      { db: tx },
      { workspaceId, name, scope, lastsDays: days ?? null },
    );
    return token;
  });
}

async function workspaceFor(
  tx: Tx,
  { workspace, createWorkspace }: Extract<Wish, { kind: "make" }>,
): Promise<string> {
  const known = await listWorkspaces(tx);
  if (workspace === undefined) {
    const [only, ...others] = known;
    if (others.length > 0) {
      throw new UsageError(`There are several workspaces: say --workspace. ${namesOf(known)}`);
    }
    return only?.id ?? newWorkspace(tx, "Postwell");
  }
  const found = find(known, workspace);
  if (found !== undefined) return found.id;
  if (createWorkspace) return newWorkspace(tx, workspace);
  throw new UsageError(
    `${unknown(known, workspace)} Correct the name, or add --create-workspace to make one of this name.`,
  );
}

async function newWorkspace(tx: Tx, name: string): Promise<string> {
  const id = uuidv7();
  await insertWorkspace(tx, { id, name });
  return id;
}

async function list(db: Db, workspace: string | undefined): Promise<string> {
  const known = await listWorkspaces(db);
  const wanted = workspace === undefined ? null : find(known, workspace);
  if (wanted === undefined) throw new UsageError(unknown(known, workspace));
  const tokens = await listTokens(db, wanted?.id ?? null);
  const rows = tokens.map((token) => [
    token.id,
    token.scope,
    stateOf(token),
    token.workspace,
    token.name,
  ]);
  return asTable([["id", "scope", "state", "workspace", "name"], ...rows]);
}

async function revoke(db: Db, id: string): Promise<string> {
  const revoked = validate(id) ? await revokeToken(db, id) : null;
  if (revoked !== null)
    return `The token of ${revoked.name} is revoked: it opens nothing any more.`;
  // What was typed is not repeated: it may be the token itself.
  throw new UsageError(
    `No token has this id. Ids are what \`npm run token -- list\` shows, not the tokens themselves.`,
  );
}

function stateOf({ revokedAt, expiresAt, hasEnded }: ListedToken): string {
  if (revokedAt !== null) return `revoked ${dayOf(revokedAt)}`;
  if (expiresAt === null) return "valid";
  return `${hasEnded ? "ended" : "valid until"} ${dayOf(expiresAt)}`;
}

function dayOf(instant: Date): string {
  return instant.toISOString().slice(0, 10);
}

function asTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "))
    .map((line) => line.trimEnd())
    .join("\n");
}

function find(known: readonly StoredWorkspace[], nameOrId: string): StoredWorkspace | undefined {
  return known.find(({ id, name }) => id === nameOrId || name === nameOrId);
}

function unknown(known: readonly StoredWorkspace[], wanted = ""): string {
  return `There is no workspace ${wanted}. ${namesOf(known)}`;
}

function namesOf(known: readonly StoredWorkspace[]): string {
  if (known.length === 0) return "There is none yet.";
  return `Known: ${known.map(({ name }) => name).join(", ")}.`;
}
