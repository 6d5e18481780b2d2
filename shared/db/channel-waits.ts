import { sql } from "kysely";
import type { WaitReason } from "../domain/wait.ts";
import type { Db } from "./client.ts";
import type { PlatformHost } from "./platform-health.ts";

/** Nothing is published on the channel before `until`; an earlier wish does not shorten a later one. */
export async function letChannelWait(
  db: Db,
  channelId: string,
  until: Date,
  reason: WaitReason,
): Promise<void> {
  await sql`
    update channels set wait_until = ${until}, wait_reason = ${reason}, updated_at = clock()
     where id = ${channelId} and (wait_until is null or wait_until < ${until})`.execute(db);
}

/** The same for all channels of our app there. */
export async function letAppWait(
  db: Db,
  { platform, host }: PlatformHost,
  until: Date,
  reason: WaitReason,
): Promise<void> {
  await sql`
    insert into platform_health as h (platform, host, wait_until, wait_reason)
    values (${platform}, ${host}, ${until}, ${reason})
    on conflict (platform, host) do update
      set wait_until = excluded.wait_until, wait_reason = excluded.wait_reason
      where h.wait_until is null or h.wait_until < excluded.wait_until`.execute(db);
}

/** Keeps which of its platform's servers a channel is on. */
export async function noteHost(db: Db, channelId: string, host: string): Promise<void> {
  await db.updateTable("channels").set({ host }).where("id", "=", channelId).execute();
}
