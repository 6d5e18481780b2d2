import { sql } from "kysely";
import type { Attention } from "../domain/channel.ts";
import type { Db } from "./client.ts";

/** Nothing is published on the channel before `until`; an earlier wish does not shorten a later one. */
export async function letChannelWait(db: Db, channelId: string, until: Date): Promise<void> {
  await db
    .updateTable("channels")
    .set({ waitUntil: sql<Date>`greatest(wait_until, ${until})`, updatedAt: sql<Date>`clock()` })
    .where("id", "=", channelId)
    .execute();
}

/** Shows that a channel needs a person, once: a channel that shows it already is left alone. */
export async function flagChannel(db: Db, channelId: string, attention: Attention): Promise<void> {
  await sql`
    with flagged as (
      update channels set state = 'needs_attention', attention = ${JSON.stringify(attention)}::jsonb, updated_at = clock()
       where id = ${channelId} and state = 'connected' returning id, workspace_id)
    insert into events (workspace_id, type, subject_id)
    select workspace_id, 'channel.needs_attention', id from flagged`.execute(db);
}
