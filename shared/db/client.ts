import { CamelCasePlugin, Kysely, PostgresDialect, sql, type Transaction } from "kysely";
import { Pool, types } from "pg";
import type { Tables } from "./tables.ts";

export type Db = Kysely<Tables>;
export type Tx = Transaction<Tables>;

const INT8 = 20;

/**
 * Opens a pool. Nothing is connected before the first query.
 * @param onIdleError told of a connection that broke while nobody used it; the pool replaces it by itself
 */
export function openDb(url: string, options: DbOptions = {}): Db {
  const pool = new Pool({
    connectionString: url,
    max: options.maxConnections ?? 12,
    connectionTimeoutMillis: 5_000,
    // A server that vanished without a word is noticed within seconds, not when the system gives up.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    idleTimeoutMillis: 60_000,
    application_name: options.name ?? "postwell",
    options: "-c timezone=UTC -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s",
    types: { getTypeParser: typeParser },
  });
  // Without a listener on the pool and on each client, a restart of PostgreSQL would end the process.
  const onError = options.onIdleError ?? (() => {});
  pool.on("error", onError);
  pool.on("connect", (client) => void client.on("error", onError));
  return new Kysely<Tables>({
    dialect: new PostgresDialect({ pool }),
    plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  });
}

export interface DbOptions {
  readonly maxConnections?: number;
  readonly name?: string;
  readonly onIdleError?: (error: Error) => void;
}

/** Runs in the caller's transaction where there is one, else in a new one. */
export function inTransaction<T>(db: Db | Tx, work: (tx: Tx) => Promise<T>): Promise<T> {
  return isTransaction(db) ? work(db) : db.transaction().execute(work);
}

function isTransaction(db: Db | Tx): db is Tx {
  return db.isTransaction;
}

/** The domain's time, by the database's clock; within a transaction always the same. UTC. */
export async function clock(db: Db): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`select clock() as now`.execute(db);
  const row = rows[0];
  if (!row) throw new Error("clock() gave no row");
  return row.now;
}

/** Counters and fences stay far below 2^53, so numbers are safe and kinder than strings. */
function typeParser(oid: number, format?: "text" | "binary"): (value: string) => unknown {
  return oid === INT8 ? Number : types.getTypeParser(oid, format ?? "text");
}
