import { sql } from "kysely";
import { sameOutage, type Attention } from "../domain/channel.ts";
import { WAITING_FOR_CHANNEL } from "../domain/failure.ts";
import type { Db, Tx } from "./client.ts";
import { addEvents } from "./events.ts";
import { tellOfChannels, tellOfDeliveries } from "./notices.ts";
import { wake } from "./outbox.ts";
import { resumeRemovals } from "./removals.ts";

/** A first look again comes soon: what was refused in passing must not keep a channel down for an hour. */
const FIRST_LOOK_AGAIN_MS = 5 * 60_000;

/**
 * Shows that a channel needs a person and tells everyone with a post at stake, once: a channel that shows it already is left
 * alone.
 * @param triedAt when what was refused began: where a person has signed in since, it says nothing any more
 */
export async function flagChannel(
  db: Db,
  channelId: string,
  attention: Attention,
  triedAt: Date,
): Promise<void> {
  await sql`
    with flagged as (
      update channels
         set state = 'needs_attention', attention = ${JSON.stringify(attention)}::jsonb, attention_since = clock(),
             check_at = clock() + ${FIRST_LOOK_AGAIN_MS} * interval '1 ms', updated_at = clock()
       where id = ${channelId} and state = 'connected' and removed_at is null
         and date_trunc('milliseconds', signed_in_at) <= ${triedAt}
      returning id, workspace_id, platform, check_at, ${attention.kind}::text as reason,
                to_char(attention_since, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as cause),
    ${tellOfChannels("flagged", "channel.needs_attention")},
    woken as (
      insert into outbox as o (job, lane, subject_id, run_at, revision)
      select 'keep-channel', platform, id, check_at, 1 from flagged
      on conflict (job, subject_id) do update
        set run_at = least(o.run_at, excluded.run_at), revision = o.revision + 1,
            handed_at = case when excluded.run_at < o.run_at then null else o.handed_at end)
    insert into events (workspace_id, type, subject_id)
    select workspace_id, 'channel.needs_attention', id from flagged`.execute(db);
}

interface FoundHealth {
  readonly id: string;
  readonly workspaceId: string;
  readonly platform: string;
  /** Null where all is well. */
  readonly attention: Attention | null;
}

/** Stores what a check has found. Call it last in the transaction. @param askedAt as `triedAt` of `flagChannel` */
export async function storeHealth(
  tx: Tx,
  { id, workspaceId, platform, attention }: FoundHealth,
  askedAt: Date,
): Promise<void> {
  if (attention === null) return healChannel(tx, { id, workspaceId, platform });
  const known = await tx
    .selectFrom("channels")
    .select("attention")
    .where("id", "=", id)
    .forUpdate()
    .executeTakeFirst();
  if (!known?.attention) return flagChannel(tx, id, attention, askedAt);
  if (sameOutage(known.attention, attention)) return;
  await tx
    .updateTable("channels")
    .set({ attention: JSON.stringify(attention), updatedAt: sql<Date>`clock()` })
    .where("id", "=", id)
    .execute();
  await addEvents(tx, [{ workspaceId, type: "channel.needs_attention", subjectId: id }]);
}

/**
 * Ends the need for a person, where there is one: what waits for the channel goes out by itself, if it is still in time.
 * Call it last in the transaction.
 */
export async function healChannel(
  tx: Tx,
  { id, workspaceId, platform }: Omit<FoundHealth, "attention">,
): Promise<void> {
  const healed = await tx
    .updateTable("channels")
    .set({
      state: "connected",
      attention: null,
      attentionSince: null,
      updatedAt: sql<Date>`clock()`,
    })
    .where("id", "=", id)
    .where("attention", "is not", null)
    .returning(sql<Date>`clock()`.as("now"))
    .executeTakeFirst();
  if (healed) {
    await addEvents(tx, [{ workspaceId, type: "channel.updated", subjectId: id }]);
    await resumeDeliveries(tx, id);
    await wake(tx, [{ job: "publish-channel", lane: platform, subjectId: id, runAt: healed.now }]);
  }
  // Also where nothing but a removal had failed: the right to delete may be missing while posts go out.
  await resumeRemovals(tx, { id, platform });
}

/**
 * Lets go on what waited for a channel, or had failed for want of it, and is still in time. A thread that is half out
 * and late is left to a person. What was refused as forbidden keeps its error: a second time it is the post's own.
 */
async function resumeDeliveries(tx: Tx, channelId: string): Promise<void> {
  await sql`
    with resumed as (
      update deliveries d
         set state = case when d.state = 'partial' then 'partial' else 'scheduled' end, version = d.version + 1,
             next_at = case when d.state = 'partial' and d.latest_at < clock() then null else greatest(d.due_at, clock()) end,
             tries = 0, looks = 0, error = case when d.error ->> 'kind' = 'permission' then d.error end, updated_at = clock()
       where d.channel_id = ${channelId} and d.error ->> 'kind' = any(${[...WAITING_FOR_CHANNEL]})
         and ((d.state in ('scheduled', 'failed') and d.latest_at >= clock()) or d.state = 'partial')
      returning d.id, d.workspace_id, d.post_id, d.state, d.next_at, d.latest_at, d.error),
    ${tellOfDeliveries("resumed")}
    insert into events (workspace_id, type, subject_id)
    select workspace_id, 'delivery.scheduled', id from resumed`.execute(tx);
}
