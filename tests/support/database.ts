import { Client } from "pg";
import { openMovableClock } from "../../scripts/movable-clock.ts";
import { openDb, type Db } from "../../shared/db/client.ts";
import { migrate } from "../../shared/db/migrate.ts";

/** A database of its own for a test file, migrated, with a clock that the test may move. */
export interface TestDatabase {
  readonly url: string;
  readonly db: Db;
  /** Sets the domain's clock; it runs on from there at its usual pace, unless `frozen`. */
  setClock(instant: Date, options?: { frozen: boolean }): Promise<void>;
  close(): Promise<void>;
}

export async function createTestDatabase(): Promise<TestDatabase> {
  const serverUrl = process.env.POSTWELL_TEST_DATABASE_URL;
  if (serverUrl === undefined)
    throw new Error("Run the tests with `npm test`: it starts PostgreSQL.");
  const name = `test_${process.pid}_${Math.random().toString(36).slice(2, 10)}`;
  await onServer(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  await migrate(url.href);
  const db = openDb(url.href, { name });
  const clock = await openMovableClock(db);
  return {
    url: url.href,
    db,
    setClock: (instant, options) => clock.set(instant, options),
    async close() {
      await db.destroy();
      await onServer(serverUrl, `drop database ${name} with (force)`);
    },
  };
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
