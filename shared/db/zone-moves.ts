import { sql } from "kysely";
import { inTransaction, type Db } from "./client.ts";
import { wakeChannels } from "./deliveries-plan.ts";
import { tellOwners } from "./notices.ts";

/** A delivery whose wall clock was resolved by newer rules. */
export interface ZoneMove {
  readonly deliveryId: string;
  readonly version: number;
  readonly dueAt: Date;
}

interface Where {
  readonly channelId: string;
  readonly platform: string;
}

/**
 * Gives deliveries the instants that their wall clocks mean by the rules of `tzdb`, and tells who owns them. How late each may be
 * stays as it was. What somebody has changed meanwhile, or what waits for another try, is left alone.
 */
export async function moveByZoneRules(
  db: Db,
  { channelId, platform }: Where,
  moves: readonly ZoneMove[],
  tzdb: string,
): Promise<void> {
  if (moves.length === 0) return;
  await inTransaction(db, async (tx) => {
    await sql`
      with given as (
        select * from jsonb_to_recordset(${JSON.stringify(moves)}::jsonb)
          as g("deliveryId" uuid, version int, "dueAt" timestamptz)),
      wanted as (
        select d.id, d.due_at as was_due_at, g."dueAt" as due_at
          from deliveries d join given g on d.id = g."deliveryId" and d.version = g.version
         where d.state = 'scheduled' and d.next_at = d.due_at order by d.id for no key update of d),
      moved as (
        update deliveries d
           set due_at = w.due_at, next_at = w.due_at, latest_at = d.latest_at + (w.due_at - w.was_due_at),
               tzdb = ${tzdb}, version = d.version + 1, preflight_at = clock(), updated_at = clock()
          from wanted w where d.id = w.id
        returning d.id, d.workspace_id, d.post_id, null::text as reason,
                  to_char(d.due_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as cause),
      ${tellOwners("moved", "delivery.moved_by_zone_rules")}
      insert into events (workspace_id, type, subject_id)
      select workspace_id, 'delivery.moved_by_zone_rules', id from moved`.execute(tx);
    await wakeChannels(
      tx,
      moves.map(({ dueAt }) => ({ channelId, platform, at: dueAt })),
    );
  });
}

/** Notes that wall clocks mean the same by newer rules. */
export async function confirmZoneRules(
  db: Db,
  deliveries: readonly { readonly id: string; readonly version: number }[],
  tzdb: string,
): Promise<void> {
  if (deliveries.length === 0) return;
  await sql`
    update deliveries d set tzdb = ${tzdb}
      from (select d.id from deliveries d
              join jsonb_to_recordset(${JSON.stringify(deliveries)}::jsonb) as g(id uuid, version int)
                on d.id = g.id and d.version = g.version
             where d.tzdb < ${tzdb} order by d.id for no key update of d) known
     where d.id = known.id`.execute(db);
}
