import { sql } from "kysely";
import type { Db, Tx } from "./client.ts";

/** Says that something changed, in the transaction that changes it. */
export interface NewEvent {
  readonly workspaceId: string;
  /** Noun and past participle, such as `delivery.published`. */
  readonly type: string;
  readonly subjectId: string;
}

export async function addEvents(tx: Tx, events: readonly NewEvent[]): Promise<void> {
  if (events.length > 0)
    await tx
      .insertInto("events")
      .values([...events])
      .execute();
}

export interface StoredEvent {
  readonly type: string;
  readonly subjectId: string;
  /** Where a reader goes on: opaque, grows. */
  readonly cursor: string;
}

/** Whether a cursor lies after all that has happened: another database gave it out, or this one before it was restored. */
export async function isAhead(db: Db, cursor: string): Promise<boolean> {
  const [xid = "0"] = cursor.split("-");
  const { rows } = await sql<{ isAhead: boolean }>`
    select ${xid}::xid8 > pg_snapshot_xmax(pg_current_snapshot()) as is_ahead`.execute(db);
  return rows[0]?.isAhead ?? false;
}

/**
 * Events of a workspace after a cursor, in an order in which nothing can appear behind the reader's back: rows of
 * transactions that began after a still running one are held back until that one has ended.
 * @param after null for "from now on": gives no events, only the cursor
 */
export async function eventsAfter(
  db: Db,
  workspaceId: string,
  after: string | null,
  limit: number,
): Promise<{ events: StoredEvent[]; cursor: string }> {
  if (after === null) {
    const { rows } = await sql<{ cursor: string }>`
      select (pg_snapshot_xmin(pg_current_snapshot())::text || '-0') as cursor`.execute(db);
    return { events: [], cursor: rows[0]?.cursor ?? "0-0" };
  }
  const [xid = "0", id = "0"] = after.split("-");
  const { rows } = await sql<StoredEvent>`
    select type, subject_id, xid::text || '-' || id as cursor from events
     where workspace_id = ${workspaceId} and (xid, id) > (${xid}::xid8, ${id}::bigint)
       and xid < pg_snapshot_xmin(pg_current_snapshot())
     order by xid, id limit ${limit}`.execute(db);
  return { events: rows, cursor: rows.at(-1)?.cursor ?? after };
}
