import { readdir } from "node:fs/promises";
import path from "node:path";
import { sql } from "kysely";
import { PROJECT_ROOT } from "../project-root.ts";
import type { Db } from "./client.ts";

const FOLDER = path.join(PROJECT_ROOT, "shared/db/migrations");

/** `older` lacks migrations of this version; `newer` has some that this version does not know. */
export type SchemaState = "current" | "missing" | "older" | "newer";

/** Whether this version of Postwell can work on the database. Changes nothing. */
export async function readSchemaState(db: Db): Promise<SchemaState> {
  const table = await sql<{ found: boolean }>`
    select to_regclass('migrations') is not null as found`.execute(db);
  if (!table.rows[0]?.found) return "missing";
  const { rows } = await sql<{ name: string }>`select name from migrations`.execute(db);
  const applied = new Set(rows.map((row) => row.name));
  const known = (await readdir(FOLDER)).filter((name) => name.endsWith(".sql"));
  if (known.some((name) => !applied.has(name))) return applied.size === 0 ? "missing" : "older";
  return applied.size > known.length ? "newer" : "current";
}
