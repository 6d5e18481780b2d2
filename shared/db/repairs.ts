import { sql } from "kysely";
import type { DeliveryState } from "../domain/delivery.ts";
import { REPAIRS, type RepairReason } from "../domain/repair.ts";
import type { Db } from "./client.ts";
import { tellOfDeliveries } from "./notices.ts";

/** A delivery that was in a state which no move leads to. */
export interface RepairedDelivery {
  readonly id: string;
  readonly from: DeliveryState;
  readonly to: DeliveryState;
  readonly reason: RepairReason;
  readonly channelId: string;
  readonly platform: string;
  /** When a worker must look at it; null where a person must. */
  readonly nextAt: Date | null;
}

/** Published deliveries are looked at for this long, so that the past costs nothing; older ones when a worker has to do with them. */
const RECENT_DAYS = 2;

/** Where few rows are: what is under way, waits, was published lately, or is to be read now. */
const SUSPECTS = sql`
  select id from deliveries where next_at is null and state in ('scheduled', 'preparing', 'sending')
  union
  select d.id from workspaces w join deliveries d on d.workspace_id = w.id and d.state in ('sending', 'unknown', 'partial')
  union
  select d.id from workspaces w join deliveries d on d.workspace_id = w.id and d.state = 'published'
     and d.published_at > clock() - ${RECENT_DAYS} * interval '1 day'
  union
  select d.id from channels c join deliveries d on d.channel_id = c.id and d.state = 'published' and d.engagement_at <= clock()
  union
  select d.id from channels c join deliveries d on d.channel_id = c.id and d.state = 'published' and d.read_back_at <= clock()`;

/** What is wrong with a delivery `d`, of which the facts `f` are known; null for nothing. */
const REASON = sql`
  case when d.removal_wished_at is not null then null
       when d.state = 'sending' and not f.is_open then 'attempt_missing'
       -- With words and without a time it waits for a person already.
       when d.state = 'unknown' and not f.is_open and (d.next_at is not null or d.error is null) then 'attempt_missing'
       when d.state = 'unknown' and f.is_open and d.next_at is null and d.error is null then 'answer_missing'
       when d.state = 'published' and not f.is_out then 'receipt_missing'
       when d.state = 'partial' and f.is_open and d.next_at is null then 'answer_missing'
       when d.state = 'partial' and not f.is_out and not f.is_open then 'nothing_out'
       when d.state in ('scheduled', 'preparing', 'sending') and d.next_at is null then 'forgotten' end`;

const RULES = JSON.stringify(
  Object.entries(REPAIRS).map(([reason, { state, looksAgain, error }]) => {
    return { reason, state, looksAgain, error };
  }),
);

/**
 * Finds deliveries in impossible states, repairs them as `REPAIRS` says, and tells those whom a person's decision is up to. Any number of workers may do so at once: each row is
 * repaired by one of them.
 */
export async function repairDeliveries(db: Db): Promise<readonly RepairedDelivery[]> {
  const { rows } = await sql<RepairedDelivery>`
    with rules as (
      select * from jsonb_to_recordset(${RULES}::jsonb)
        as r(reason text, state text, "looksAgain" bool, error jsonb)),
    judged as (
      select d.id, d.version, d.state, ${REASON} as reason
        from (${SUSPECTS}) suspects join deliveries d using (id)
       cross join lateral (
             select exists (select 1 from attempts a left join attempt_outcomes o on o.attempt_id = a.id
                             where a.delivery_id = d.id and o.attempt_id is null) as is_open,
                    exists (select 1 from receipts r where r.delivery_id = d.id) as is_out) f),
    locked as (
      select j.* from judged j join deliveries d on d.id = j.id and d.version = j.version
       where j.reason is not null order by d.id for update of d skip locked),
    repaired as (
      update deliveries d
         set state = coalesce(r.state, d.state), version = d.version + 1, error = coalesce(r.error, d.error), tries = 0, looks = 0,
             next_at = case when not r."looksAgain" then null when d.state = 'scheduled' then d.due_at else clock() end,
             published_at = case when r.state is null then d.published_at end,
             engagement_at = case when r.state is null then d.engagement_at end,
             read_back_at = case when r.state is null then d.read_back_at end, updated_at = clock()
        from locked l join rules r using (reason)
       where d.id = l.id and d.version = l.version
      returning d.id, d.workspace_id, d.post_id, d.channel_id, d.platform, d.state, d.next_at, d.latest_at, d.error, l.state as "from", l.reason),
    ${tellOfDeliveries("repaired")},
    told as (
      insert into events (workspace_id, type, subject_id)
      select workspace_id, case when "from" = state then 'delivery.updated' else 'delivery.' || state end, id from repaired)
    select id, "from", state as "to", reason, channel_id, platform, next_at from repaired`.execute(
    db,
  );
  return rows;
}

/** Takes away the time of a delivery that no worker has anything to do with. Where somebody has moved it, it is left alone. */
export async function forgetNextLook(
  db: Db,
  { id, version }: { readonly id: string; readonly version: number },
): Promise<void> {
  await db
    .updateTable("deliveries")
    .set({ nextAt: null, version: version + 1, updatedAt: sql<Date>`clock()` })
    .where("id", "=", id)
    .where("version", "=", version)
    .execute();
}

/** A page of channels that work may be done for, by id. */
export async function channelsAfter(
  db: Db,
  after: string | null,
  limit: number,
): Promise<readonly { readonly id: string; readonly platform: string }[]> {
  let query = db.selectFrom("channels").select(["id", "platform"]).where("removedAt", "is", null);
  if (after !== null) query = query.where("id", ">", after);
  return query.orderBy("id").limit(limit).execute();
}
