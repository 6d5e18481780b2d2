import { randomBytes } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import type { Context } from "../context.ts";
import { inTransaction } from "../db/client.ts";
import { insertToken } from "../db/tokens.ts";
import type { Scope } from "../domain/permission.ts";
import { TOKEN_PREFIX, tokenHash } from "../domain/token.ts";

export interface NewToken {
  readonly workspaceId: string;
  /** For people: who or what uses it. */
  readonly name: string;
  readonly scope: Scope;
  /** Null for a token that does not end. */
  readonly lastsDays: number | null;
}

const TOKEN_BYTES = 32;

/** Makes a token. Only its hash is stored: what is returned here cannot be shown again. */
export async function createToken(
  { db }: Pick<Context, "db">,
  input: NewToken,
): Promise<{ id: string; token: string }> {
  const token = TOKEN_PREFIX + randomBytes(TOKEN_BYTES).toString("base64url");
  const id = uuidv7();
  await inTransaction(db, (tx) => insertToken(tx, { ...input, id, hash: tokenHash(token) }));
  return { id, token };
}
