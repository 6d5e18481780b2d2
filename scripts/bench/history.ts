import type { Client } from "pg";
import { connector } from "../../shared/connectors/sandbox/index.ts";
import { wakeChannels } from "./plan-deliveries.ts";
import type { Template } from "./template.ts";

/**
 * Fills the ledger with what was published before and what is planned for later, as in a database that is in use. PostgreSQL plans for the sizes that it finds, and keeps plans of
 * foreign-key checks: on empty tables it would go on reading them whole while they grow.
 */
export async function addHistory(
  client: Client,
  { workspaceId, tokenId, channelIds }: Template,
  count: number,
): Promise<void> {
  await client.query(
    `create temp table past as
     select gen_random_uuid() as id, gen_random_uuid() as post_id, gen_random_uuid() as attempt_id,
            ($1::uuid[])[1 + n % $2] as channel_id, clock() - (n + 10) * interval '1 minute' as at
       from generate_series(1, $3::int) n`,
    [channelIds, channelIds.length, count],
  );
  const statements = [
    [
      `insert into posts (id, workspace_id, state, parts, content_hash, created_by)
       select post_id, $1, 'scheduled', '[{"text": "Past", "mediaIds": []}]', 'past', $2 from past`,
      [workspaceId, tokenId],
    ],
    [
      "insert into post_channels (workspace_id, post_id, channel_id) select $1, post_id, channel_id from past",
      [workspaceId],
    ],
    [
      `insert into deliveries (id, workspace_id, post_id, channel_id, platform, state, version, content_hash, due_at,
                               latest_at, published_at)
       select id, $1, post_id, channel_id, $2, 'published', 4, 'past', at, at + interval '15 minutes', at from past`,
      [workspaceId, connector.id],
    ],
    [
      `insert into attempts (id, delivery_id, part, fence, worker, content_hash, idempotency_key, armed_at)
       select attempt_id, id, 0, 1, 'past', 'past', 'past', at from past`,
      [],
    ],
    [
      "insert into attempt_outcomes (attempt_id, outcome, answered_at) select attempt_id, 'published', at from past",
      [],
    ],
    [
      `insert into receipts (delivery_id, part, remote_id, published_at, content_hash, known_by, recorded_at)
       select id, 0, id, at, 'past', 'answered', at from past`,
      [],
    ],
    [
      "insert into events (workspace_id, type, subject_id, at) select $1, 'delivery.published', id, at from past",
      [workspaceId],
    ],
  ] as const;
  for (const [statement, values] of statements) await client.query(statement, [...values]);
  await client.query("drop table past");
  await planAhead(client, { workspaceId, tokenId, channelIds });
}

/** Gives every channel one delivery in a month, so that what wakes them is there and known to the planner. */
async function planAhead(
  client: Client,
  { workspaceId, tokenId, channelIds }: Pick<Template, "workspaceId" | "tokenId" | "channelIds">,
): Promise<void> {
  await client.query(
    `with future as (
       select gen_random_uuid() as post_id, channel_id, clock() + interval '30 days' as at
         from unnest($1::uuid[]) as channel_id),
     posted as (
       insert into posts (id, workspace_id, state, parts, content_hash, created_by)
       select post_id, $2, 'scheduled', '[{"text": "Future", "mediaIds": []}]', 'future', $3 from future),
     aimed as (
       insert into post_channels (workspace_id, post_id, channel_id) select $2, post_id, channel_id from future)
     insert into deliveries (id, workspace_id, post_id, channel_id, platform, state, content_hash, due_at, latest_at, next_at)
     select gen_random_uuid(), $2, post_id, channel_id, $4, 'scheduled', 'future', at, at + interval '1 hour', at
       from future`,
    [channelIds, workspaceId, tokenId, connector.id],
  );
  await wakeChannels(client);
}
