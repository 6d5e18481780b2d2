import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { letChannelWait } from "../../shared/db/channel-waits.ts";
import { publishChannel } from "../../shared/jobs/publish-channel.ts";
import { aChannel, aDelivery } from "../support/builders.ts";
import { anActor, createTestContext, type TestContext } from "../support/context.ts";

const noon = new Date("2027-02-05T12:00:00Z");
const hoursAfterNoon = (hours: number) => new Date(noon.getTime() + hours * 3_600_000);
const PLAN = 3_000;

let stack: TestContext;

beforeAll(async () => {
  stack = await createTestContext({ POSTWELL_QUEUE: "direct" });
  await stack.setClock(noon, { frozen: true });
});
afterAll(async () => {
  await stack.close();
});

test("a channel that waits is woken for what turns late next, found by an index", async () => {
  const channel = await aChannel(stack.context, await anActor(stack));
  const actor = await stack.db.selectFrom("apiTokens").selectAll().executeTakeFirstOrThrow();
  const first = {
    state: "scheduled",
    dueAt: hoursAfterNoon(1),
    nextAt: hoursAfterNoon(1),
  } as const;
  const who = { workspaceId: actor.workspaceId, tokenId: actor.id, scope: "admin" } as const;
  const { id, postId } = await aDelivery(stack.context, who, channel, first);
  await multiply(id, postId);
  await letChannelWait(stack.db, channel.id, hoursAfterNoon(48), "platform_limit");
  await sql`analyze deliveries`.execute(stack.db);

  const { runAt, rowsRead } = await stack.db.transaction().execute(async (tx) => {
    const runs = await publishChannel.nextRuns(tx, [channel.id]);
    const { rows } = await sql<{ count: number }>`
      select (seq_tup_read + coalesce(idx_tup_fetch, 0))::int as count
        from pg_stat_xact_user_tables where relname = 'deliveries'`.execute(tx);
    return { runAt: runs.get(channel.id)?.runAt, rowsRead: rows[0]?.count };
  });

  // A quarter of an hour late, and a moment.
  expect(runAt).toEqual(new Date(hoursAfterNoon(1).getTime() + 15 * 60_000 + 1));
  expect(rowsRead).toBeLessThan(20);
});

/** As many planned deliveries as an import makes, each a minute after the one before. */
async function multiply(deliveryId: string, postId: string): Promise<void> {
  await sql`
    with copies as (
      select gen_random_uuid() as delivery_id, gen_random_uuid() as post_id, n from generate_series(1, ${sql.lit(PLAN)}) n),
    posted as (
      insert into posts
      select r.* from posts p cross join copies c
       cross join lateral jsonb_populate_record(p, jsonb_build_object('id', c.post_id)) r where p.id = ${postId}
      returning id)
    insert into deliveries
    select r.* from deliveries d cross join copies c join posted on posted.id = c.post_id
     cross join lateral jsonb_populate_record(d, jsonb_build_object(
       'id', c.delivery_id, 'post_id', c.post_id, 'due_at', d.due_at + c.n * interval '1 minute',
       'latest_at', d.latest_at + c.n * interval '1 minute', 'next_at', d.next_at + c.n * interval '1 minute')) r
     where d.id = ${deliveryId}`.execute(stack.db);
}
