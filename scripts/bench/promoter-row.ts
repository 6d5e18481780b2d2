import { Queue } from "bullmq";
import { Redis } from "ioredis";
import type { Client } from "pg";
import { readConfig } from "../../shared/config.ts";
import { connector } from "../../shared/connectors/sandbox/index.ts";
import { openContext, type Context } from "../../shared/context.ts";
import { forgetHandOvers } from "../../shared/db/outbox.ts";
import { createLogger } from "../../shared/logger.ts";
import { QUEUE_PREFIX, queueName } from "../../shared/queue-layout.ts";
import { createDispatcher } from "../../worker/engine/dispatcher.ts";
import { laneOf } from "../../worker/engine/lane.ts";
import { openWakeQueue, type WakeQueue } from "../../worker/engine/queue.ts";
import type { Bar, Figure } from "./compare.ts";
import { copyTemplate } from "./database.ts";
import { ourEnvironment } from "./our-engine.ts";
import { redisDatabase, type Stage } from "./stage.ts";

const LANE = { job: "publish-channel", lane: connector.id };
const BULK = 1_000;

interface Promoter {
  readonly context: Context;
  readonly client: Client;
  readonly redis: Redis;
  readonly hints: Queue;
  /** One look of the dispatcher, as a worker takes it ten times a second. */
  look(): Promise<void>;
}

/** How fast what is due is handed to the queue, beside a long plan; and again when the queue has lost it all. */
export async function promoterRow(stage: Stage, say: (line: string) => void): Promise<Figure[]> {
  const { due, future } = stage.options.promoter;
  const values = { bare: [] as number[], redis: [] as number[] };
  const wiped = { bare: [] as number[], redis: [] as number[] };
  const { promoter, close } = await openPromoter(stage);
  try {
    for (let round = 0; round < stage.options.rounds; round += 1) {
      stage.signal.throwIfAborted();
      const bareMs = await addBare(stage, due);
      await resetDue(promoter.client);
      const firstMs = await timed(() => promoter.look());
      await requireHandedOver(promoter, due);
      await promoter.redis.flushall();
      const againMs = await timed(async () => {
        await forgetHandOvers(promoter.context.db, [laneOf(LANE)]);
        await promoter.look();
      });
      await requireHandedOver(promoter, due);
      values.bare.push(bareMs);
      values.redis.push(firstMs);
      wiped.bare.push(bareMs);
      wiped.redis.push(againMs);
      const shown = [bareMs, firstMs, againMs].map(Math.round);
      say(`  round ${round + 1}: bare ${shown[0]} ms, ours ${shown[1]} ms, again ${shown[2]} ms`);
    }
  } finally {
    await close();
  }
  const bar: Bar = { text: "below 1000 ms", of: "value", isMet: (ms) => ms < 1_000 };
  const about = { row: "promoter", unit: "ms", bar };
  return [
    { ...about, measure: `${due} due beside ${future} later`, values },
    { ...about, measure: "the same after Redis was wiped", values: wiped },
  ];
}

async function openPromoter(
  stage: Stage,
): Promise<{ promoter: Promoter; close: () => Promise<void> }> {
  const database = await copyTemplate(stage);
  const { client } = database;
  await fillOutbox(client, stage.options.promoter);
  const redisUrl = redisDatabase(stage, 1);
  const redis = new Redis(redisUrl);
  await redis.flushall();
  const log = createLogger("bench", "silent");
  const config = readConfig(ourEnvironment(stage, database.url, redisUrl));
  const opened = await openContext(config, log, "bench-promoter");
  const queue = await openPausedQueue(redisUrl, log);
  const hints = new Queue(queueName(LANE), { connection: redis, prefix: QUEUE_PREFIX });
  // Every slot is taken, so that a look hands over and does nothing else.
  const leases = {
    run: () => Promise.resolve(),
    held: () => Number.POSITIVE_INFINITY,
    stop: () => Promise.resolve(),
  };
  const dispatcher = createDispatcher(opened.context, { worker: "bench", leases, lanes: [LANE] });
  // Nobody takes the canaries out, either.
  const trusted = { ...queue, isHealthy: () => true };
  return {
    promoter: {
      context: opened.context,
      client,
      redis,
      hints,
      look: () => dispatcher.look(trusted),
    },
    async close() {
      await hints.close();
      await queue.close();
      redis.disconnect();
      await opened.close();
      await database.drop();
    },
  };
}

/** Takes hints and hands none out: what is measured ends in Redis. */
async function openPausedQueue(redisUrl: string, log: Context["log"]): Promise<WakeQueue> {
  const queue = openWakeQueue({
    redisUrl,
    lanes: [LANE],
    concurrency: 1,
    log,
    onHint: () => Promise.resolve(),
    onRecovered: () => undefined,
  });
  await queue.pause();
  return queue;
}

/** One row a subject: more than so many deliveries could ever need, as they share their channels' rows. */
async function fillOutbox(client: Client, { due, future }: { due: number; future: number }) {
  await client.query("truncate outbox");
  await client.query(
    `insert into outbox (job, lane, subject_id, run_at, revision)
     select $1, $2, gen_random_uuid(), clock() + interval '1 day' + greatest(0, n - $3) * interval '1 second', 1
       from generate_series(1, $3::int + $4::int) n`,
    [LANE.job, LANE.lane, due, future],
  );
  await client.query("vacuum analyze outbox");
  await client.query(
    "create temp table due_subjects as select subject_id from outbox order by run_at limit $1",
    [due],
  );
}

async function resetDue(client: Client): Promise<void> {
  await client.query(
    "update outbox set run_at = clock(), handed_at = null where subject_id in (select subject_id from due_subjects)",
  );
  await client.query("vacuum analyze outbox");
  await client.query("checkpoint");
}

async function requireHandedOver({ client, hints }: Promoter, due: number): Promise<void> {
  const { rowCount } = await client.query("select from outbox where handed_at is not null");
  const { waiting = 0, delayed = 0 } = await hints.getJobCounts("waiting", "delayed");
  if (rowCount !== due || waiting + delayed < due) {
    throw new Error(`${due} were due, ${rowCount} noted, ${waiting + delayed} are in the queue.`);
  }
}

/** The same jobs, with nothing to read and nothing to note. */
async function addBare(stage: Stage, count: number): Promise<number> {
  const connection = new Redis(redisDatabase(stage, 2), { maxRetriesPerRequest: null });
  await connection.flushdb();
  const queue = new Queue("bare-promoter", { connection });
  await queue.waitUntilReady();
  const tookMs = await timed(async () => {
    for (let from = 0; from < count; from += BULK) {
      const size = Math.min(BULK, count - from);
      const jobs = Array.from({ length: size }, (_, index) => ({
        name: LANE.job,
        data: { subjectId: crypto.randomUUID(), revision: from + index },
        opts: { attempts: 1, removeOnComplete: true },
      }));
      await queue.addBulk(jobs);
    }
  });
  await queue.close();
  connection.disconnect();
  return tookMs;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
