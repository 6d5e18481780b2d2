import { sql } from "kysely";
import { v7 as uuidv7 } from "uuid";
import type { Context } from "../context.ts";
import { inTransaction } from "../db/client.ts";
import { hasTokens, insertToken } from "../db/tokens.ts";
import { insertWorkspace } from "../db/workspaces.ts";
import { tokenHash } from "../domain/token.ts";

/** Any number that nobody else uses: processes that start together wait for each other here. */
const LOCK = 7_604_222;

/**
 * Makes the first workspace and its admin's token, where no token was ever made. Repeatable.
 * @param token as the operator chose it
 * @returns whether it was made now
 */
export async function bootstrapToken({ db }: Pick<Context, "db">, token: string): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    await sql`select pg_advisory_xact_lock(${LOCK})`.execute(tx);
    if (await hasTokens(tx)) return false;
    const workspaceId = uuidv7();
    await insertWorkspace(tx, { id: workspaceId, name: "Postwell" });
    const hash = tokenHash(token);
    const facts = { id: uuidv7(), workspaceId, scope: "admin", name: "First admin" } as const;
    await insertToken(tx, { ...facts, hash, lastsDays: null });
    return true;
  });
}
