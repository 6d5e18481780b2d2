import type { Client } from "pg";
import type { Published } from "./load.ts";
import type { Template } from "./template.ts";

/** What the ledger says about these deliveries. With several attempts, the first one began it. */
export async function readReceipts(
  client: Client,
  { channelIds }: Template,
  ids: readonly string[],
): Promise<Published[]> {
  const { rows } = await client.query<Omit<Published, "channel"> & { channelId: string }>(
    `select d.channel_id as "channelId", extract(epoch from d.due_at)::float8 * 1000 as "dueAt",
            extract(epoch from min(a.armed_at))::float8 * 1000 as "beganAt",
            extract(epoch from max(r.recorded_at))::float8 * 1000 as "endedAt"
       from deliveries d join attempts a on a.delivery_id = d.id join receipts r on r.delivery_id = d.id
      where d.id = any($1::uuid[]) and d.state = 'published' group by d.id`,
    [ids],
  );
  const numbers = new Map(channelIds.map((id, index) => [id, index]));
  return rows.map(({ channelId, dueAt, beganAt, endedAt }) => {
    return { channel: numbers.get(channelId) ?? -1, dueAt, beganAt, endedAt };
  });
}

/** Attempts that did not publish at once, by what became of them: there should be none. */
export async function readTrouble(client: Client, ids: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ what: string }>(
    `select count(*) || ' x ' || outcome as what from (
       select coalesce(o.outcome, 'no answer') as outcome
         from attempts a left join attempt_outcomes o on o.attempt_id = a.id where a.delivery_id = any($1::uuid[])
        union all
       select 'found by asking' from receipts where known_by <> 'answered' and delivery_id = any($1::uuid[])) found
      where outcome <> 'published' group by outcome`,
    [ids],
  );
  return rows.map(({ what }) => what);
}
