import { setTimeout as delay } from "node:timers/promises";
import { Client, Pool, type QueryResultRow } from "pg";

/** The drill's own way into the database: its connections end with the server's, and it tries again. */
export interface DrillDatabase {
  /** Waits until the database is there. @throws {Error} what the statement itself is refused for */
  rows<Row extends QueryResultRow>(statement: string, values?: readonly unknown[]): Promise<Row[]>;
  /** One try. @throws {Error} also where the database is away */
  tryRows<Row extends QueryResultRow>(
    statement: string,
    values?: readonly unknown[],
  ): Promise<Row[]>;
  /** A connection of its own, for locks. */
  connect(): Promise<Client>;
  close(): Promise<void>;
}

const AWAY_MS = 30_000;
const PAUSE_MS = 100;

export function openDatabase(url: string): DrillDatabase {
  const connection = { connectionString: named(url, "drill"), connectionTimeoutMillis: 3_000 };
  const pool = new Pool({ ...connection, max: 4 });
  pool.on("error", () => undefined);
  pool.on("connect", (client) => void client.on("error", () => undefined));
  async function tryRows<Row extends QueryResultRow>(
    statement: string,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    const { rows } = await pool.query<Row>(statement, [...values]);
    return rows;
  }
  return {
    tryRows,
    async rows(statement, values) {
      const end = performance.now() + AWAY_MS;
      for (;;) {
        try {
          return await tryRows(statement, values);
        } catch (error) {
          if (!isAway(error) || performance.now() > end) throw error;
          await delay(PAUSE_MS);
        }
      }
    },
    async connect() {
      const client = new Client(connection);
      client.on("error", () => undefined);
      await client.connect();
      return client;
    },
    close: () => pool.end(),
  };
}

/** Under its own name in PostgreSQL's list of connections: the drill tells the processes apart by it. */
export function named(url: string, name: string): string {
  const own = new URL(url);
  own.searchParams.set("application_name", name);
  return own.href;
}

/** SQLSTATE classes 08 (connection) and 57 (operator intervention), or no SQLSTATE at all. */
function isAway(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return !/^[0-9][0-9A-Z]{4}$/.test(code) || /^(08|57)/.test(code);
}
