import { setTimeout as delay } from "node:timers/promises";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import * as z from "zod";
import { BARE_QUEUE, BareRun, type BareJob } from "./bare-job.ts";
import { startChild, type Child } from "./child.ts";
import { cpuSince, cpuTime } from "./cpu-time.ts";
import { planningMs, type Engine, type Load, type OpenEngine, type Run } from "./load.ts";
import { nowMs } from "./questions.ts";
import { redisDatabase, type Stage } from "./stage.ts";

const Taken = z.object({ runs: z.array(BareRun), lastDoneAt: z.number() });
const BULK = 1_000;
const MISSING = { handle: "", token: "" };
const LOOK_EVERY_MS = 50;

/** BullMQ alone: one job a delivery, nothing written down. */
export function bareEngine(stage: Stage): Engine {
  return { name: "bare", open: () => openBare(stage) };
}

async function openBare(stage: Stage): Promise<OpenEngine> {
  const redisUrl = redisDatabase(stage, 2);
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  await connection.flushdb();
  const queue = new Queue(BARE_QUEUE, { connection });
  const workers = Array.from({ length: stage.options.workers }, () =>
    startBareWorker(stage, redisUrl),
  );
  stage.onClose(() => Promise.all(workers.map((worker) => worker.stop())));
  // The first answer shows that it is connected.
  for (const worker of workers) await worker.ask("done", z.int());
  return {
    run: (load) => runBare(stage, { queue, workers }, load),
    async close() {
      await Promise.all(workers.map((worker) => worker.stop()));
      await queue.close();
      connection.disconnect();
    },
  };
}

function startBareWorker({ options, platform }: Stage, redisUrl: string): Child {
  const CONCURRENCY = String(options.concurrency);
  const env = { REDIS_URL: redisUrl, PLATFORM_URL: platform.url, CONCURRENCY };
  return startChild({ name: "bare worker", script: "scripts/bench/bare-worker.js", env });
}

async function runBare(
  stage: Stage,
  { queue, workers }: { queue: Queue; workers: readonly Child[] },
  load: Load,
): Promise<Run> {
  if (load.isDueAlready) await queue.pause();
  const base = nowMs() + (load.isDueAlready ? 0 : planningMs(load));
  const jobs = load.deliveries.map(({ channel, afterMs }, index): BareJob => {
    const { handle, token } = stage.platform.sessions[channel] ?? MISSING;
    return { channel, handle, token, text: `Bench ${index}`, dueAt: base + afterMs };
  });
  for (let from = 0; from < jobs.length; from += BULK) {
    await queue.addBulk(jobs.slice(from, from + BULK).map((job) => bareJob(job, load)));
  }
  if (!load.isDueAlready && nowMs() > base) throw new Error("Planning took longer than expected.");
  const startedAt = load.isDueAlready ? nowMs() : base;
  const pids = workers.map(({ pid }) => pid);
  const cpuBefore = cpuTime(stage, pids);
  if (load.isDueAlready) await queue.resume();
  await allDone(stage, workers, jobs.length);
  const cpu = cpuSince(cpuBefore, cpuTime(stage, pids));
  const taken = await Promise.all(workers.map((worker) => worker.ask("take", Taken)));
  const endedAt = Math.max(...taken.map(({ lastDoneAt }) => lastDoneAt));
  return { startedAt, endedAt, deliveries: taken.flatMap(({ runs }) => runs), cpu, trouble: [] };
}

function bareJob(job: BareJob, { isDueAlready }: Load) {
  const timing = isDueAlready ? {} : { delay: Math.max(0, Math.ceil(job.dueAt - Date.now())) };
  return { name: BARE_QUEUE, data: job, opts: { attempts: 1, removeOnComplete: true, ...timing } };
}

async function allDone(stage: Stage, workers: readonly Child[], count: number): Promise<void> {
  for (;;) {
    const done = await Promise.all(workers.map((worker) => worker.ask("done", z.int())));
    if (done.reduce((sum, each) => sum + each, 0) >= count) return;
    await delay(LOOK_EVERY_MS, undefined, { signal: stage.signal });
  }
}
