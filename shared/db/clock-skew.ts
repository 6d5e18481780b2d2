import { sql } from "kysely";
import type { Db } from "./client.ts";

/** How far this machine's clock is ahead of the database's, in milliseconds; negative when it is behind. */
export async function clockSkewMs(db: Db): Promise<number> {
  const before = Date.now();
  const { rows } = await sql<{ ms: number }>`
    select extract(epoch from clock_timestamp())::float8 * 1000 as ms`.execute(db);
  const after = Date.now();
  // Half of the round trip lies before the database's reading.
  return (before + after) / 2 - (rows[0]?.ms ?? 0);
}
