import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "pg";
import type { DrillDatabase } from "./database.ts";
import type { Stage } from "./stage.ts";

/** Any number that nobody else uses. */
const GATE = 7_604_299;

/**
 * Puts a gate between the hand-over of hints and the note that they were handed over. It is open; whoever holds the lock
 * closes it.
 */
export async function buildGate(database: DrillDatabase): Promise<void> {
  await database.rows(
    `create function drill_gate() returns trigger language plpgsql as $$
     begin
       perform pg_advisory_xact_lock_shared(${GATE});
       return new;
     end $$`,
  );
  await database.rows(
    `create trigger drill_gate before update of handed_at on outbox for each row
      when (old.handed_at is null and new.handed_at is not null) execute function drill_gate()`,
  );
}

/** Closes the gate until a worker stands before it, and kills that one there. @returns null when it struck, else why not */
export async function killPromoter(
  stage: Stage,
  which: number,
  forMs: number,
): Promise<string | null> {
  const client = await stage.database.connect();
  try {
    // The drill's own connection, so that one that is lost opens the gate again.
    await client.query("set lock_timeout = '2s'");
    await client.query("select pg_advisory_lock($1)", [GATE]);
    const name = await whoWaits(client, forMs);
    const member = stage.workers.find((worker) => worker.name === name);
    if (!member) return "no worker handed anything over";
    await member.kill(500 + (which % 1_000));
    return null;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function whoWaits(client: Client, forMs: number): Promise<string | null> {
  const end = performance.now() + forMs;
  while (performance.now() < end) {
    const { rows } = await client.query<{ name: string }>(
      `select application_name as name from pg_stat_activity
        where wait_event_type = 'Lock' and wait_event = 'advisory' and application_name like 'worker-%' limit 1`,
    );
    if (rows[0]) return rows[0].name;
    await delay(20);
  }
  return null;
}
