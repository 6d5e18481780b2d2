import { sql } from "kysely";
import type { Db } from "../shared/db/client.ts";

/** The time of a whole database, for the demo and the tests. */
export interface MovableClock {
  /** Sets it. It goes on from there at the usual pace, unless `frozen`. */
  set(instant: Date, options?: { readonly frozen: boolean }): Promise<void>;
}

/**
 * Takes over `clock()` in a database of one's own. The time stands in a table, because every statement sees one state of a
 * table; a function that is replaced while a statement is planned would tell it two times, or fail it. Once a database.
 */
export async function openMovableClock(db: Db): Promise<MovableClock> {
  await sql`create table movable_clock (ahead_ms float8 not null, frozen_at timestamptz)`.execute(
    db,
  );
  await sql`insert into movable_clock values (0, null)`.execute(db);
  await sql`create or replace function clock() returns timestamptz language sql stable parallel safe
            as $$ select coalesce(frozen_at, now() + ahead_ms * interval '1 ms') from movable_clock $$`.execute(
    db,
  );
  return {
    async set(instant, { frozen } = { frozen: false }) {
      const aheadMs = instant.getTime() - Date.now();
      await sql`update movable_clock set ahead_ms = ${aheadMs}, frozen_at = ${frozen ? instant : null}`.execute(
        db,
      );
    },
  };
}
