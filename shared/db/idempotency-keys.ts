import { sql } from "kysely";
import type { Db, Tx } from "./client.ts";

/** Older keys may be forgotten: nobody repeats a request after a week. */
const KEPT_DAYS = 7;

export interface KeyUse {
  readonly workspaceId: string;
  readonly key: string;
  readonly requestHash: Buffer;
}

export interface StoredAnswer {
  readonly requestHash: Buffer;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/**
 * Takes a key for the first time. A twin that has taken it in a transaction of its own is waited for.
 * @returns false where the key was used before
 */
export async function takeKey(tx: Tx, use: KeyUse): Promise<boolean> {
  const taken = await tx
    .insertInto("idempotencyKeys")
    .values({ ...use })
    .onConflict((conflict) => conflict.columns(["workspaceId", "key"]).doNothing())
    .executeTakeFirst();
  return taken.numInsertedOrUpdatedRows === 1n;
}

/** The answer that was given under a key; null where none was. */
export async function findAnswer(
  db: Db,
  { workspaceId, key }: Pick<KeyUse, "workspaceId" | "key">,
): Promise<StoredAnswer | null> {
  const row = await db
    .selectFrom("idempotencyKeys")
    .select(["requestHash", "status", "headers", "body"])
    .where("workspaceId", "=", workspaceId)
    .where("key", "=", key)
    .executeTakeFirst();
  if (row?.status == null) return null;
  return { ...row, status: row.status, headers: row.headers ?? {} };
}

export async function storeAnswer(
  tx: Tx,
  { workspaceId, key }: KeyUse,
  answer: Omit<StoredAnswer, "requestHash">,
): Promise<void> {
  await tx
    .updateTable("idempotencyKeys")
    .set({
      status: answer.status,
      headers: JSON.stringify(answer.headers),
      body: JSON.stringify(answer.body ?? null),
    })
    .where("workspaceId", "=", workspaceId)
    .where("key", "=", key)
    .execute();
}

/** Housekeeping. Repeatable. @returns how many keys were forgotten */
export async function forgetOldKeys(db: Db): Promise<number> {
  const gone = await db
    .deleteFrom("idempotencyKeys")
    .where(sql<boolean>`created_at < clock() - ${KEPT_DAYS} * interval '1 day'`)
    .executeTakeFirst();
  return Number(gone.numDeletedRows);
}
