import type { Client } from "pg";
import { v7 as uuidv7 } from "uuid";
import { connector } from "../../shared/connectors/sandbox/index.ts";
import { contentHash } from "../../shared/domain/content.ts";
import type { Load } from "./load.ts";
import type { Template } from "./template.ts";

const BULK = 2_000;

/** Stores posts with one delivery each, as scheduling leaves them, except that nobody is woken yet. @returns the deliveries' ids */
export async function planDeliveries(
  client: Client,
  template: Template,
  { load, base }: { load: Load; base: Date },
): Promise<string[]> {
  const ids: string[] = [];
  for (let from = 0; from < load.deliveries.length; from += BULK) {
    const rows = load.deliveries.slice(from, from + BULK).map(({ channel, afterMs }, index) => {
      const text = `Bench ${from + index}`;
      return {
        postId: uuidv7(),
        deliveryId: uuidv7(),
        channelId: template.channelIds[channel],
        text,
        hash: contentHash([{ text, media: [] }], null),
        dueAt: new Date(base.getTime() + afterMs),
      };
    });
    await insert(client, template, JSON.stringify(rows));
    ids.push(...rows.map(({ deliveryId }) => deliveryId));
  }
  // Autovacuum would do it within a minute; and a checkpoint of this bulk should not fall into what is measured.
  await client.query("analyze");
  await client.query("checkpoint");
  return ids;
}

/** Wakes every channel for its first delivery: from now on the load is ours to publish. */
export async function wakeChannels(client: Client): Promise<void> {
  await client.query(
    `insert into outbox (job, lane, subject_id, run_at, revision)
     select 'publish-channel', platform, channel_id, min(next_at), 1
       from deliveries where next_at is not null group by platform, channel_id
     on conflict (job, subject_id) do update
       set run_at = least(outbox.run_at, excluded.run_at), revision = outbox.revision + 1, handed_at = null`,
  );
}

async function insert(client: Client, template: Template, rows: string): Promise<void> {
  const { workspaceId, tokenId } = template;
  await client.query(
    `with given as (
       select * from jsonb_to_recordset($1::jsonb)
         as g("postId" uuid, "deliveryId" uuid, "channelId" uuid, text text, hash text, "dueAt" timestamptz)),
     posted as (
       insert into posts (id, workspace_id, state, parts, content_hash, created_by)
       select "postId", $2, 'scheduled',
              jsonb_build_array(jsonb_build_object('text', text, 'mediaIds', '[]'::jsonb)), hash, $3
         from given)
     insert into post_channels (workspace_id, post_id, channel_id) select $2, "postId", "channelId" from given`,
    [rows, workspaceId, tokenId],
  );
  await client.query(
    `insert into deliveries (id, workspace_id, post_id, channel_id, platform, state, content_hash, due_at, latest_at, next_at)
     select "deliveryId", $2, "postId", "channelId", $3, 'scheduled', hash, "dueAt", "dueAt" + interval '2 hours', "dueAt"
       from jsonb_to_recordset($1::jsonb)
         as g("postId" uuid, "deliveryId" uuid, "channelId" uuid, hash text, "dueAt" timestamptz)
      order by "dueAt"`,
    [rows, workspaceId, connector.id],
  );
}
