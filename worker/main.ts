import { collectDefaultMetrics } from "prom-client";
import { type Config, ConfigError, readConfig } from "../shared/config.ts";
import { openContext } from "../shared/context.ts";
import type { Db } from "../shared/db/client.ts";
import { clockSkewMs } from "../shared/db/clock-skew.ts";
import { createLogger, type Logger } from "../shared/logger.ts";
import { keepHeapSmall } from "../shared/small-heap.ts";
import { StoreError } from "../shared/store-error.ts";
import { checkDatabase, checkRedis } from "../shared/stores.ts";
import { serveMetrics, type MetricsServer } from "./metrics/server.ts";
import { startWorker, type RunningWorker } from "./worker.ts";

/** After this a process that was asked to stop ends, whatever is still going on: what was in hand is recovered by others. */
const STOP_WITHIN_MS = 28_000;

const MAX_SKEW_MS = 2_000;

async function main(): Promise<void> {
  keepHeapSmall();
  const config = readConfig();
  const log = createLogger("worker", config.logLevel);
  await checkDatabase(config.databaseUrl);
  await checkQueue(config, log);
  const opened = await openContext(config, log, "postwell-worker");
  await requireCorrectClock(opened.context.db);
  await opened.syncClock();
  const worker = startWorker(opened);
  const metrics = await tellMetrics(worker, config, log);

  let isStopping = false;
  async function stop(): Promise<void> {
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
    await worker.stop();
    await metrics?.close();
    await opened.close();
    // The channel to the launcher would keep the process alive.
    if (process.connected) process.disconnect();
  }
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stop());
  process.on("disconnect", () => void stop());
}

/** Null where the operator did not ask for it. */
function tellMetrics(
  { metrics }: RunningWorker,
  { host, metricsPort: port }: Config,
  log: Logger,
): Promise<MetricsServer | null> {
  if (port === null) return Promise.resolve(null);
  collectDefaultMetrics({ register: metrics });
  return serveMetrics(metrics, { host, port }, log);
}

/** Every decision is made by the database's clock, but logs, signatures and tokens of a machine that is off are of no use. */
async function requireCorrectClock(db: Db): Promise<void> {
  const skewMs = await clockSkewMs(db);
  if (Math.abs(skewMs) <= MAX_SKEW_MS) return;
  const seconds = (Math.abs(skewMs) / 1_000).toFixed(1);
  throw new ConfigError(
    `This machine's clock is ${seconds} s ${skewMs > 0 ? "ahead of" : "behind"} PostgreSQL's. Set both by NTP, then start the worker again.`,
  );
}

/** A Redis that is away is no reason not to publish: unless it was demanded, work begins without it. */
async function checkQueue({ redisUrl, queue }: Config, log: Logger): Promise<void> {
  if (redisUrl === null) return;
  try {
    await checkRedis(redisUrl);
  } catch (error) {
    const mayWait = error instanceof StoreError && error.kind === "unreachable" && queue === "auto";
    if (!mayWait) throw error;
    log.warn({ reason: error.message }, "working without the queue until Redis is back");
  }
}

main().catch((error: unknown) => {
  const isForPeople = error instanceof ConfigError || error instanceof StoreError;
  process.stderr.write(`${isForPeople ? error.message : stackOf(error)}\n`);
  process.exit(1);
});

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
