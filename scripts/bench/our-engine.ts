import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Client } from "pg";
import * as z from "zod";
import { connector } from "../../shared/connectors/sandbox/index.ts";
import { cpuSince, cpuTime } from "./cpu-time.ts";
import { copyTemplate, type BenchDatabase } from "./database.ts";
import { startChild, type Child } from "./child.ts";
import { planningMs, type Engine, type Load, type OpenEngine, type Run } from "./load.ts";
import { readReceipts, readTrouble } from "./ledger.ts";
import { planDeliveries, wakeChannels } from "./plan-deliveries.ts";
import { nowMs } from "./questions.ts";
import { redisDatabase, type Stage } from "./stage.ts";

const LOOK_EVERY_MS = 25;

/** A worker trusts the queue. */
const DELIVERS = new RegExp(`publish-channel/${connector.id}\\b.*the queue delivers`);

/** Workers as they run in production, each a process of its own. */
export function ourEngine(stage: Stage, name: "redis" | "direct"): Engine {
  return { name, open: () => openOurs(stage, name) };
}

/** For rows that do more with it than publish a load. */
export interface OurEngine extends OpenEngine {
  readonly database: BenchDatabase;
  /** Null in direct mode. */
  readonly redisUrl: string | null;
  readonly workers: readonly Child[];
}

export async function openOurs(stage: Stage, name: "redis" | "direct"): Promise<OurEngine> {
  const database = await copyTemplate(stage);
  const redisUrl = name === "redis" ? redisDatabase(stage, 1) : null;
  if (redisUrl !== null) await wipe(redisUrl);
  const workers = await startOurWorkers(stage, database.url, redisUrl);
  return {
    database,
    redisUrl,
    workers,
    run: (load) => runOurs(stage, { client: database.client, workers }, load),
    async close() {
      await Promise.all(workers.map((worker) => worker.stop()));
      await database.drop();
    },
  };
}

/** @param redisUrl null for direct mode */
export async function startOurWorkers(
  stage: Stage,
  databaseUrl: string,
  redisUrl: string | null,
): Promise<readonly Child[]> {
  const env = ourEnvironment(stage, databaseUrl, redisUrl);
  const workers = Array.from({ length: stage.options.workers }, () => startOurWorker(stage, env));
  stage.onClose(() => Promise.all(workers.map((worker) => worker.stop())));
  await Promise.all(workers.map((worker) => worker.logged(/worker started/)));
  // Until then a worker does without the queue.
  if (redisUrl !== null) await Promise.all(workers.map((worker) => worker.logged(DELIVERS)));
  return workers;
}

async function runOurs(
  stage: Stage,
  { client, workers }: { client: Client; workers: readonly Child[] },
  load: Load,
): Promise<Run> {
  const before = await stage.platform.process.ask("count", z.int());
  const base = new Date(Date.now() + (load.isDueAlready ? -1_000 : planningMs(load)));
  const ids = await planDeliveries(client, stage.template, { load, base });
  const pids = workers.map(({ pid }) => pid);
  const cpuBefore = cpuTime(stage, pids);
  const startedAt = load.isDueAlready ? nowMs() : base.getTime();
  await wakeChannels(client);
  if (!load.isDueAlready && nowMs() > startedAt) {
    throw new Error("Planning took longer than expected.");
  }
  await allDone(stage, client, workers);
  const endedAt = nowMs();
  const cpu = cpuSince(cpuBefore, cpuTime(stage, pids));
  const deliveries = await readReceipts(client, stage.template, ids);
  const trouble = await readTrouble(client, ids);
  const seen = (await stage.platform.process.ask("count", z.int())) - before;
  if (seen !== load.deliveries.length || deliveries.length !== seen) {
    const counts = `${load.deliveries.length} were planned, the platform saw ${seen}`;
    throw new Error(`${counts}, and the ledger has ${deliveries.length} receipts.`);
  }
  return { startedAt, endedAt, deliveries, cpu, trouble };
}

/** Until no channel has anything to do before the far future that every channel has planned. */
export async function allDone(
  { signal }: Stage,
  client: Client,
  workers: readonly Child[],
): Promise<void> {
  for (;;) {
    const { rowCount } = await client.query(
      `select from outbox where job = 'publish-channel'
          and (leased_until is not null or run_at < now() + interval '1 day') limit 1`,
    );
    if (rowCount === 0) return;
    for (const worker of workers) worker.requireAlive();
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}

function startOurWorker(stage: Stage, env: Readonly<Record<string, string>>): Child {
  const nodeOptions = profiling(stage);
  return startChild({ name: "worker", script: "worker/main.js", env, nodeOptions });
}

/** Options of Node that make a process of ours write its CPU profile; none where nobody asked for profiles. */
export function profiling({ options: { profileDir } }: Stage): string[] {
  return profileDir === null ? [] : ["--cpu-prof", `--cpu-prof-dir=${path.resolve(profileDir)}`];
}

/** Production's defaults otherwise. */
export function ourEnvironment(
  { options, platform, template, dir }: Stage,
  databaseUrl: string,
  redisUrl: string | null,
): Record<string, string> {
  return {
    NODE_ENV: "production",
    DATABASE_URL: databaseUrl,
    ...(redisUrl === null ? { POSTWELL_QUEUE: "direct" } : { REDIS_URL: redisUrl }),
    POSTWELL_SECRET_KEY: template.secretKey,
    POSTWELL_DATA_DIR: dir,
    POSTWELL_SANDBOX_BASE_URL: platform.url,
    // Measured is how fast we can be, not the pause that followers are granted after an outage.
    POSTWELL_CATCH_UP_GAP_SECONDS: "0",
    POSTWELL_CONCURRENCY: String(options.concurrency),
  };
}

async function wipe(redisUrl: string): Promise<void> {
  const client = new Redis(redisUrl);
  await client.flushdb();
  client.disconnect();
}
