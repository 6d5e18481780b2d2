import type { Client } from "pg";
import { connector } from "../../shared/connectors/sandbox/index.ts";
import type { Template } from "./template.ts";

/** What a database in use for long holds. */
export interface Filling {
  /** Over the year that ends an hour ago: published, and one in 49 failed. */
  readonly past: number;
  /** Over a year that begins in two days, beyond any horizon and any preflight. */
  readonly planned: number;
  /** On every channel, a minute ago. */
  readonly duePerChannel: number;
}

/** As many channels as a post usually goes to. */
const CHANNELS_A_POST = 10;

/** Ids that grow, as ours do. */
const id = (kind: string, number: string) =>
  `format('${kind}0000000-0000-7000-8000-%s', lpad(to_hex(${number}), 12, '0'))::uuid`;

/** Replaces whatever deliveries a copy of the template has. Consistent by itself, so that foreign keys need no check of each row. */
export async function fillDatabase(
  client: Client,
  { workspaceId, tokenId, channelIds }: Template,
  filling: Filling,
): Promise<void> {
  const { past, planned } = filling;
  const due = filling.duePerChannel * channelIds.length;
  const aPost = Math.min(CHANNELS_A_POST, channelIds.length);
  const runs: [statement: string, values?: unknown[]][] = [
    ["begin"],
    ["set local session_replication_role = replica"],
    ["truncate posts, events, outbox cascade"],
    [
      `create temp table filling as
       select ${id("d", "n")} as id, ${id("b", "n / $2")} as post_id, ${id("a", "n")} as attempt_id,
              ($1::uuid[])[1 + n % cardinality($1)] as channel_id,
              case when n >= $3 + $4 then 'due' when n >= $3 then 'planned'
                   when n % 49 = 0 then 'failed' else 'published' end as kind,
              case when n >= $3 + $4 then clock() - interval '1 minute'
                   when n >= $3 then clock() + interval '2 days' + (n - $3) * interval '1 year' / greatest($4, 1)
                   else clock() - interval '1 hour' - ($3 - n) * interval '1 year' / greatest($3, 1) end as at
         from generate_series(0, $3 + $4 + $5 - 1) n`.replaceAll(/\$([2-5])/g, "$$$1::int"),
      [channelIds, aPost, past, planned, due],
    ],
    [
      `insert into posts (id, workspace_id, state, parts, content_hash, created_by)
       select distinct post_id, $1::uuid, 'scheduled', '[{"text": "Bench", "mediaIds": []}]'::jsonb, 'bench', $2::uuid
         from filling order by 1`,
      [workspaceId, tokenId],
    ],
    [
      "insert into post_channels (workspace_id, post_id, channel_id) select $1, post_id, channel_id from filling",
      [workspaceId],
    ],
    [
      `insert into deliveries (id, workspace_id, post_id, channel_id, platform, state, content_hash, due_at, latest_at,
                               next_at, preflight_at, published_at, error)
       select id, $1, post_id, channel_id, $2, case when kind in ('planned', 'due') then 'scheduled' else kind end,
              'bench', at, at + interval '7 days', case when kind in ('planned', 'due') then at end,
              case when kind = 'planned' then at - interval '1 day' end, case when kind = 'published' then at end,
              case when kind = 'failed' then '{"kind": "content_rejected"}'::jsonb end
         from filling`,
      [workspaceId, connector.id],
    ],
    [
      `insert into attempts (id, delivery_id, part, fence, worker, content_hash, idempotency_key, armed_at)
       select attempt_id, id, 0, 1, 'past', 'bench', 'bench', at from filling where kind in ('published', 'failed')`,
    ],
    [
      `insert into attempt_outcomes (attempt_id, outcome, answered_at)
       select attempt_id, case kind when 'published' then kind else 'content_rejected' end, at
         from filling where kind in ('published', 'failed')`,
    ],
    [
      `insert into receipts (delivery_id, part, remote_id, published_at, content_hash, known_by, recorded_at)
       select id, 0, id, at, 'bench', 'answered', at from filling where kind = 'published'`,
    ],
    [
      `insert into outbox (job, lane, subject_id, run_at, revision)
       select job, platform, channel_id, min(at), 1
         from deliveries
        cross join lateral (values ('publish-channel', next_at), ('preflight-channel', preflight_at)) as wakes(job, at)
        where at is not null group by job, platform, channel_id`,
    ],
    ["drop table filling"],
    ["commit"],
    ["vacuum analyze"],
    ["checkpoint"],
  ];
  for (const [statement, values = []] of runs) await client.query(statement, values);
}
