import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { Client } from "pg";
import { PROJECT_ROOT } from "../project-root.ts";

const FOLDER = path.join(PROJECT_ROOT, "shared/db/migrations");

/** Any number that nobody else uses: processes that start together wait for each other here. */
const LOCK = 7_604_221;

/**
 * Brings the schema up to date, forward only, each file in its own transaction. Repeatable, and safe from many processes
 * at once.
 * @returns the names of the files that were applied now
 * @throws {Error} when an applied file was changed afterwards, or is unknown to this version
 */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    await client.query("select pg_advisory_lock($1)", [LOCK]);
    await client.query(
      "create table if not exists migrations (name text primary key, sha256 text not null, applied_at timestamptz not null default now())",
    );
    return await applyMissing(client);
  } finally {
    await client.end();
  }
}

async function applyMissing(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; sha256: string }>(
    "select name, sha256 from migrations",
  );
  const applied = new Map(rows.map((row) => [row.name, row.sha256]));
  const files = (await readdir(FOLDER)).filter((name) => name.endsWith(".sql")).sort();
  const unknown = [...applied.keys()].find((name) => !files.includes(name));
  if (unknown !== undefined) {
    throw new Error(
      `The database has the migration ${unknown}, which this version of Postwell does not know. Start a newer version.`,
    );
  }
  const appliedNow: string[] = [];
  for (const name of files) {
    const text = await readFile(path.join(FOLDER, name), "utf8");
    const sha256 = createHash("sha256").update(text).digest("hex");
    const before = applied.get(name);
    if (before === sha256) continue;
    if (before !== undefined) {
      throw new Error(
        `The migration ${name} was changed after it had been applied. Add a new one instead.`,
      );
    }
    await apply(client, name, text, sha256);
    appliedNow.push(name);
  }
  return appliedNow;
}

async function apply(client: Client, name: string, text: string, sha256: string): Promise<void> {
  await client.query("begin");
  try {
    await client.query(text);
    await client.query("insert into migrations (name, sha256) values ($1, $2)", [name, sha256]);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw new Error(`The migration ${name} failed.`, { cause: error });
  }
}
