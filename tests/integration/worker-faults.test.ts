import { beforeEach, expect, test } from "@jest/globals";
import { Worker } from "bullmq";
import { Redis } from "ioredis";
import { sql } from "kysely";
import { v7 as uuidv7 } from "uuid";
import { readSchemaState } from "../../shared/db/schema-state.ts";
import { QUEUE_PREFIX, queueName } from "../../shared/queue-layout.ts";
import { startWorker } from "../../worker/worker.ts";
import { anOpenAttempt } from "../support/builders.ts";
import { publishingStack, secondsAfterNoon } from "../support/publishing-stack.ts";
import { eventually } from "../support/publishing.ts";
import { describeInBothModes } from "../support/queue-modes.ts";

const LANE = queueName({ job: "publish-channel", lane: "sandbox" });

describeInBothModes("workers", (mode) => {
  /** Before each request that makes a post public. */
  let onCommit: () => void = () => undefined;
  const stack = publishingStack(mode, {
    settings: { POSTWELL_CATCH_UP_GAP_SECONDS: "0" },
    intercept: (passOn) => (input, init) => {
      if (init?.method === "POST") onCommit();
      return passOn(input, init);
    },
  });
  beforeEach(() => {
    onCommit = () => undefined;
  });

  const planned = (text: string, plan: { dueAt?: Date; state?: "preparing" | "sending" } = {}) =>
    stack.plan({ texts: [`${text} ${stack.channel.id}`], ...plan });
  /** As a worker leaves a channel that ends in the middle of its work. */
  const abandon = () =>
    sql`update outbox set leased_by = 'dead', leased_until = now() - interval '1 s', fence = fence + 1
         where job = 'publish-channel' and subject_id = ${stack.channel.id}`.execute(stack.db);

  test("go on with what one that ended had prepared", async () => {
    const id = await planned("Half done", { state: "preparing" });
    await abandon();

    await stack.start();

    await stack.reaches(id, "published");
    expect(stack.posts()).toHaveLength(1);
  });

  test("look for what one that ended had begun to send, and send it when it is not there", async () => {
    const id = await planned("Begun", { state: "sending" });
    await anOpenAttempt(stack.context, id);
    const prepared = JSON.stringify({ 0: { id: uuidv7(), pictures: {} } });
    await stack.db.updateTable("deliveries").set({ prepared }).where("id", "=", id).execute();
    await abandon();

    await stack.start();
    await stack.reaches(id, "unknown");
    expect(stack.posts()).toEqual([]);
    await stack.setClock(secondsAfterNoon(120));

    await stack.reaches(id, "published");
    expect(stack.posts()).toHaveLength(1);
  });

  test("find at once what one that ended had sent, however long its request might have taken", async () => {
    const id = await planned("Sent");
    let answer: () => void = () => undefined;
    const silence = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const silent: typeof fetch = async (input, init) => {
      const response = await stack.context.fetch(input, init);
      if (init?.method === "POST") await silence;
      return response;
    };
    const context = { ...stack.context, fetch: silent };
    stack.endWithTest(startWorker(stack.withContext(context)));
    await eventually(
      () => Promise.resolve(stack.posts()),
      (all) => all.length === 1,
    );
    await abandon();

    await stack.start();

    const { receipts } = await stack.reaches(id, "published");
    expect(receipts).toHaveLength(1);
    answer();
    expect(stack.posts()).toHaveLength(1);
  });

  test("find nothing to do for a hint whose worker ended after the work and before saying so", async () => {
    const url = mode.settings["REDIS_URL"];
    const dead = url === undefined ? null : new Redis(url, { maxRetriesPerRequest: null });
    const consumer =
      dead &&
      new Worker(LANE, null, { connection: dead, prefix: QUEUE_PREFIX, lockDuration: 1_000 });
    await stack.start();
    const id = await planned("Hinted", { dueAt: secondsAfterNoon(1) });
    // Whoever of both gets the hint: it comes again when its lock has ended, and the work is done by then.
    await consumer?.getNextJob("dead");
    await stack.reaches(id, "published");
    await consumer?.close(true);
    dead?.disconnect();

    const version = (await stack.find(id)).version;
    await wakeAgain();
    await eventually(rowsLeft, (rows) => rows === 0);
    expect((await stack.find(id)).version).toBe(version);
    expect(stack.posts()).toHaveLength(1);
  });

  test("that stand still beyond lease and lock publish once when they go on", async () => {
    const id = await planned("Blocked");
    let times = 0;
    const blocking: typeof stack.context.connectors = new Map(
      [...stack.context.connectors].map(([name, connector]) => [
        name,
        {
          ...connector,
          prepare: (...given: Parameters<typeof connector.prepare>) => {
            times += 1;
            if (times === 1) blockFor(10_500);
            return connector.prepare(...given);
          },
        },
      ]),
    );
    const context = { ...stack.context, connectors: blocking };

    const workers = [1, 2].map(() => startWorker(stack.withContext(context)));
    stack.endWithTest(...workers);

    await stack.reaches(id, "published", 25_000);
    expect(stack.posts()).toHaveLength(1);
    const metrics = await Promise.all(workers.map((worker) => worker.metrics.metrics()));
    // What raises the alarm `PostwellLate`; the lease itself may be renewed before anybody takes it over.
    expect(metrics.join("\n")).toContain(
      'postwell_publish_lateness_seconds_bucket{le="10",platform="sandbox"} 0',
    );
  });

  test.each([
    ["five seconds ahead", 5_000],
    ["five seconds behind", -5_000],
    ["an hour back", -3_600_000],
  ])("whose clock jumps %s publish neither early nor late", async (_name, shiftMs) => {
    await stack.start();
    const { now } = Date;
    const dueAt = new Date(stack.context.now().getTime() + 2_000);
    const id = await planned("On time", { dueAt });

    Date.now = () => now() + shiftMs;
    try {
      await stack.reaches(id, "published");
    } finally {
      Date.now = now;
    }

    const [attempt] = (await stack.find(id)).attempts;
    const lateMs = (attempt?.armedAt.getTime() ?? 0) - dueAt.getTime();
    expect(lateMs).toBeGreaterThanOrEqual(0);
    // A hint that nobody gets in time is made up for after five seconds.
    expect(lateMs).toBeLessThan(8_000);
  });

  test("leave to a person what three of them ended over, and nothing else", async () => {
    const poison = await planned("Poison");
    await planned("Innocent", { dueAt: secondsAfterNoon(1) });
    const end = async (times: number) => {
      await stack.db
        .updateTable("deliveries")
        .set({ state: "preparing", abandoned: times })
        .where("id", "=", poison)
        .execute();
      await abandon();
    };

    await end(1);
    await stack.setClock(secondsAfterNoon(2));
    await stack.start();
    const resting = await eventually(
      () => stack.find(poison),
      ({ state }) => state === "scheduled",
    );
    expect(resting.waiting?.reason).toBe("catching_up");
    expect(stack.posts()).toEqual([]);
    await stack.stopWorkers();
    await sql`update channels set wait_until = null, wait_reason = null`.execute(stack.db);
    await end(2);
    await stack.start();

    expect((await stack.reaches(poison, "failed")).error).toMatchObject({
      kind: "bug",
      platformMessage: "Workers ended three times while they worked on this.",
    });
    await eventually(
      () => Promise.resolve(stack.posts()),
      (seen) => seen.length === 1 && seen[0]?.text.startsWith("Innocent") === true,
    );
  });

  test("never send again by themselves what three of them ended over while sending", async () => {
    const id = await planned("Poison", { state: "sending" });
    await anOpenAttempt(stack.context, id);
    await stack.db.updateTable("deliveries").set({ abandoned: 2 }).where("id", "=", id).execute();
    await abandon();

    await stack.start();

    expect(await stack.reaches(id, "unknown")).toMatchObject({ nextAt: null });
    expect(stack.posts()).toEqual([]);
  });

  test("stop one delivery that they cannot read, and go on with its channel", async () => {
    const poison = await planned("Garbled");
    const { postId } = await stack.find(poison);
    await stack.db.updateTable("posts").set({ parts: "[null]" }).where("id", "=", postId).execute();
    const next = await planned("Readable", { dueAt: secondsAfterNoon(1) });
    await stack.setClock(secondsAfterNoon(1));

    await stack.start();

    expect((await stack.reaches(poison, "failed")).error).toMatchObject({ kind: "bug" });
    await stack.reaches(next, "published");
  });

  test("of an older version work beside newer ones and a newer schema, to their last step", async () => {
    const old = startWorker(stack);
    let stopping: Promise<void> | null = null;
    const stop = () => (stopping ??= old.stop());
    stack.endWithTest({ stop });
    const texts = Array.from({ length: 40 }, (_, index) => `Version ${index}`);
    const ids: string[] = [];
    const channels = await Promise.all([1, 2, 3, 4].map(() => stack.connect()));
    for (const [index, text] of texts.entries()) {
      const on = channels[index % channels.length] ?? stack.channel;
      ids.push(await stack.plan({ on, texts: [text], dueAt: secondsAfterNoon(300) }));
    }
    // What a newer version may leave: a table and a column more, a job and a lane that nobody here knows.
    await sql`alter table deliveries add column if not exists mood text default 'calm'`.execute(
      stack.db,
    );
    await sql`create table if not exists of_a_newer_version (id uuid)`.execute(stack.db);
    await sql`insert into migrations (name, sha256) values ('9999_newer.sql', '') on conflict do nothing`.execute(
      stack.db,
    );
    await sql`insert into outbox (job, lane, subject_id, run_at) values
                ('paint-channel', 'sandbox', ${stack.channel.id}, clock() - interval '1 minute'),
                ('publish-channel', 'a-new-platform', ${uuidv7()}, clock() - interval '1 minute')
              on conflict do nothing`.execute(stack.db);
    expect(await readSchemaState(stack.db)).toBe("newer");

    let sent = 0;
    // The old one is asked to stop while posts go out.
    onCommit = () => {
      sent += 1;
      if (sent === 10) void stop();
    };
    await stack.start();
    await stack.setClock(secondsAfterNoon(301));

    for (const id of ids) await stack.reaches(id, "published");
    expect(stopping).not.toBeNull();
    await stop();
    const seen = stack.simulator.posts().filter(({ text }) => text.startsWith("Version "));
    expect(seen).toHaveLength(texts.length);
    const foreign = stack.db.selectFrom("outbox").select(["job", "leasedBy", "handedAt"]);
    const left = await foreign
      .where((or) => or.or([or("job", "=", "paint-channel"), or("lane", "=", "a-new-platform")]))
      .execute();
    expect(left).toHaveLength(2);
    expect(left.every(({ leasedBy, handedAt }) => leasedBy === null && handedAt === null)).toBe(
      true,
    );
  });

  async function rowsLeft(): Promise<number> {
    const rows = stack.db.selectFrom("outbox").select("subjectId");
    const found = rows
      .where("job", "=", "publish-channel")
      .where("subjectId", "=", stack.channel.id);
    return (await found.execute()).length;
  }
  /** As if the hint had come again. */
  const wakeAgain = () =>
    sql`insert into outbox (job, lane, subject_id, run_at)
        values ('publish-channel', 'sandbox', ${stack.channel.id}, clock()) on conflict do nothing`.execute(
      stack.db,
    );
});

/** Nothing else of this process runs meanwhile: no timer, no renewal, no answer. */
function blockFor(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
