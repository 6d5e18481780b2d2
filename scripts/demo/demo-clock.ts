import { sql } from "kysely";
import type { Db } from "../../shared/db/client.ts";
import { openMovableClock } from "../movable-clock.ts";

/** What the workers have before them, as of one instant. */
export interface Look {
  /** The demo's time. */
  readonly now: Date;
  /**
   * How far time may pass before somebody must be woken, UTC; null for nobody. Never beyond the next publication; what only
   * reads, on all channels within two seconds of each other, is left together.
   */
  readonly nextAt: Date | null;
  /** Nobody works on anything and nothing is due: time may pass. */
  readonly isIdle: boolean;
  /** Nothing is left but upkeep, which never ends. */
  readonly isOver: boolean;
  /** When the last lease ends if nobody renews it, by the real clock; null for none. */
  readonly leasedForMs: number | null;
}

/** How far it all is. */
export interface Count {
  /** Deliveries. */
  readonly published: number;
  /** Of engagement. */
  readonly readings: number;
}

/**
 * The time of a whole installation. It runs at the usual pace, so that lateness is measured in real milliseconds, and jumps
 * ahead when it is told to.
 */
export interface DemoClock {
  /** For the simulators, which stand outside the database. */
  now(): Date;
  /** Moves the time ahead; it never goes back. */
  moveTo(instant: Date): Promise<void>;
  look(): Promise<Look>;
  /** Slower than a look. */
  count(): Promise<Count>;
}

/** Takes over the time of a database of the demo's own. */
export async function openDemoClock(db: Db, startsAt: Date): Promise<DemoClock> {
  const clock = await openMovableClock(db);
  await leaveUpkeepToTheNight(db);
  let aheadMs = 0;
  const demoClock: DemoClock = {
    now: () => new Date(Date.now() + aheadMs),
    async moveTo(instant) {
      aheadMs = Math.max(aheadMs, instant.getTime() - Date.now());
      await clock.set(new Date(Date.now() + aheadMs));
    },
    look: () => look(db),
    count: () => count(db),
  };
  await demoClock.moveTo(startsAt);
  return demoClock;
}

/**
 * Sign-ins are renewed every two hours by themselves, which would be most of what there is to see. Here that waits for six
 * o'clock UTC; what needs a fresh sign-in before renews it by itself.
 */
async function leaveUpkeepToTheNight(db: Db): Promise<void> {
  await sql`create function leave_to_the_night() returns trigger language plpgsql as $$
            begin
              new.run_at := date_trunc('day', new.run_at + interval '18 hours') + interval '6 hours';
              return new;
            end $$`.execute(db);
  await sql`create trigger outbox_upkeep before insert or update of run_at on outbox
            for each row when (new.job = 'keep-channel') execute function leave_to_the_night()`.execute(
    db,
  );
}

interface LookRow {
  readonly now: Date;
  readonly nextAt: Date | null;
  readonly due: number;
  readonly leased: number;
  readonly unfinished: number;
  readonly leasedForMs: number | null;
}

async function look(db: Db): Promise<Look> {
  const { rows } = await sql<LookRow>`
    select clock() as now,
           least(min(run_at) filter (where job = 'publish-channel'),
                 max(run_at) filter (where job <> 'publish-channel'
                   and run_at <= (select min(run_at) from outbox) + interval '2 s')) as next_at,
           count(*) filter (where run_at <= clock()) as due,
           count(*) filter (where leased_until > now()) as leased,
           count(*) filter (where job <> 'keep-channel') as unfinished,
           extract(epoch from max(leased_until) filter (where leased_until > now()) - now())::float8 * 1000 as leased_for_ms
      from outbox`.execute(db);
  const { now, nextAt, due, leased, unfinished, leasedForMs } = only(rows);
  const isIdle = due === 0 && leased === 0;
  return { now, nextAt, isIdle, isOver: isIdle && unfinished === 0, leasedForMs };
}

async function count(db: Db): Promise<Count> {
  const { rows } = await sql<Count>`
    select (select count(*) from deliveries where state = 'published') as published,
           (select count(*) from snapshots) as readings`.execute(db);
  return only(rows);
}

function only<T>([row]: readonly T[]): T {
  if (row === undefined) throw new Error("An aggregate gave no row.");
  return row;
}
