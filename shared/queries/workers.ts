import { sql } from "kysely";
import type { Db } from "../db/client.ts";

/** The workers of the whole installation. */
export interface Workers {
  readonly alive: number;
  /** When one was heard of last, UTC by the real clock; null for never. */
  readonly lastSeenAt: Date | null;
}

/** Workers say five times a second that they are there; a worker that has been silent for this long is gone. */
const GONE_AFTER_SECONDS = 12;

export async function readWorkers(db: Db): Promise<Workers> {
  const { rows } = await sql<Workers>`
    select count(*) filter (where seen_at > now() - ${GONE_AFTER_SECONDS} * interval '1 s') as alive,
           max(seen_at) as last_seen_at from workers`.execute(db);
  return rows[0] ?? { alive: 0, lastSeenAt: null };
}
