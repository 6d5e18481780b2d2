import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { raiseAlarms } from "../../shared/commands/raise-alarms.ts";
import type { Actor, Context } from "../../shared/context.ts";
import { countOverdue } from "../../shared/db/overdue.ts";
import { createLogger } from "../../shared/logger.ts";
import { startWorker } from "../../worker/worker.ts";
import { aChannel, aDelivery } from "../support/builders.ts";
import { anActor, createTestContext, type TestContext } from "../support/context.ts";
import { eventually } from "../support/publishing.ts";

const now = new Date("2027-02-05T15:00:00Z");
const minutesAgo = (minutes: number) => new Date(now.getTime() - minutes * 60_000);
const AFTER_MS = 60_000;

let stack: TestContext;
let actor: Actor;
let channel: { id: string; platform: string };

beforeAll(async () => {
  stack = await createTestContext({ POSTWELL_QUEUE: "direct" });
  await stack.setClock(now, { frozen: true });
});
beforeEach(async () => {
  await sql`update deliveries set next_at = null`.execute(stack.db);
  actor = await anActor(stack);
  channel = await aChannel(stack.context, actor);
});
afterAll(async () => {
  await stack.close();
});

const late = async (minutes: number) => {
  const at = minutesAgo(minutes);
  const stored = { state: "scheduled", dueAt: at, nextAt: at } as const;
  return (await aDelivery(stack.context, actor, channel, stored)).id;
};
const told = async () => {
  const query = stack.db.selectFrom("events").select("subjectId");
  const rows = await query.where("type", "=", "delivery.overdue").execute();
  return rows.map(({ subjectId }) => subjectId);
};
const count = () => countOverdue(stack.db, AFTER_MS, actor.workspaceId);
const putChannel = (change: Record<string, unknown>) =>
  stack.db.updateTable("channels").set(change).where("id", "=", channel.id).execute();
/** As a worker that works on the channel holds it. */
const lease = (until: string) =>
  sql`insert into outbox (job, subject_id, lane, run_at, leased_by, leased_until)
      values ('publish-channel', ${channel.id}, ${channel.platform}, clock(), 'a', now() + ${until}::interval)`.execute(
    stack.db,
  );

test("raises one alarm for each delivery that nothing works on, however many look", async () => {
  const ids = [await late(2), await late(3)].toSorted();

  const raised = await Promise.all([1, 2, 3, 4].map(() => raiseAlarms(stack.context)));
  const again = await raiseAlarms(stack.context);

  expect(raised.reduce((sum, one) => sum + one, 0)).toBe(2);
  expect(again).toBe(0);
  expect((await told()).filter((id) => ids.includes(id)).toSorted()).toEqual(ids);
});

test("counts what is overdue, alarm or not, and names the oldest", async () => {
  await late(2);
  const oldest = await late(7);
  await raiseAlarms(stack.context);

  expect(await count()).toEqual({
    count: 2,
    oldest: { deliveryId: oldest, dueAt: minutesAgo(7), lateSeconds: 420 },
  });
});

test("allows workers a moment", async () => {
  await late(0.9);

  expect(await count()).toEqual({ count: 0, oldest: null });
});

test("believes for a while that a leased channel is worked on, not for ever", async () => {
  await lease("10 s");
  await late(9);
  const believed = await count();
  await late(11);

  expect(believed.count).toBe(0);
  expect(await count()).toMatchObject({ count: 1, oldest: { lateSeconds: 660 } });
});

test("sees that nobody took over from a worker that died", async () => {
  await lease("-1 s");
  await late(2);

  expect(await count()).toMatchObject({ count: 1 });
});

test("does not blame workers for what waits for a person or a platform", async () => {
  await late(10);
  const attention = { kind: "reauthorize", title: "t", detail: "d" };
  await putChannel({ attention: JSON.stringify(attention), state: "needs_attention" });
  const waitsForPerson = await count();
  await putChannel({ attention: null, state: "connected", waitUntil: minutesAgo(-5) });
  const waitsForPlatform = await count();
  await putChannel({ waitUntil: minutesAgo(0.5) });
  const justGoesOn = await count();
  await putChannel({ waitUntil: minutesAgo(2) });

  expect([waitsForPerson.count, waitsForPlatform.count, justGoesOn.count]).toEqual([0, 0, 0]);
  expect(await count()).toMatchObject({ count: 1, oldest: { lateSeconds: 120 } });
});

test("blames them when its time is over and nobody says that it was missed", async () => {
  await late(17);
  const attention = { kind: "reauthorize", title: "t", detail: "d" };
  await putChannel({ attention: JSON.stringify(attention), state: "needs_attention" });

  expect(await count()).toMatchObject({
    count: 1,
    oldest: { lateSeconds: expect.closeTo(120, 0) },
  });
});

test("raises a new alarm for a new plan", async () => {
  const id = await late(5);
  await raiseAlarms(stack.context);
  const later = minutesAgo(3);
  await stack.db
    .updateTable("deliveries")
    .set({ dueAt: later, nextAt: later })
    .where("id", "=", id)
    .execute();

  expect(await raiseAlarms(stack.context)).toBe(1);
});

test("is raised by a worker that cannot get at its work, with the delivery's id in the log", async () => {
  const lines: string[] = [];
  const log = Object.assign(createLogger("test", "silent"), {
    error: (fields: { deliveryId?: string }, text: string) => {
      lines.push(`${fields.deliveryId} ${text}`);
    },
  });
  // Somebody holds the channel and does not get on.
  await lease("1 minute");
  const id = await late(14);
  const context: Context = {
    ...stack.context,
    config: { ...stack.context.config, pollMs: 20 },
    log,
  };

  const worker = startWorker({ ...stack, context });
  await eventually(told, (ids) => ids.includes(id));
  await worker.stop();

  expect(lines).toContain(`${id} delivery is overdue, and nothing works on it`);
});
