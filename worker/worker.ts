import os from "node:os";
import type { Registry } from "prom-client";
import { v7 as uuidv7 } from "uuid";
import { raiseAlarms } from "../shared/commands/raise-alarms.ts";
import type { Context, OpenContext } from "../shared/context.ts";
import { clockSkewMs } from "../shared/db/clock-skew.ts";
import { holdWaiting } from "../shared/db/hold-waiting.ts";
import { forgetHandOvers } from "../shared/db/outbox.ts";
import { wakePreflight } from "../shared/db/preflight-news.ts";
import { TZDB_VERSION } from "../shared/domain/schedule.ts";
import { JOBS } from "../shared/jobs/registry.ts";
import { openBudgets } from "./budgets/budgets.ts";
import { createDispatcher, type Dispatcher } from "./engine/dispatcher.ts";
import { watchFence } from "./engine/fence-watch.ts";
import type { Handler } from "./engine/handler.ts";
import { laneOf, type Lane } from "./engine/lane.ts";
import { createLeaseKeeper } from "./engine/lease-keeper.ts";
import { openWakeQueue, type WakeQueue } from "./engine/queue.ts";
import { repair } from "./engine/repair.ts";
import { repeat } from "./engine/repeat.ts";
import { checkReceiptsHandler } from "./jobs/check-receipts.ts";
import { keepChannelHandler } from "./jobs/keep-channel.ts";
import { preflightChannelHandler } from "./jobs/preflight-channel.ts";
import { publishChannelHandler } from "./jobs/publish-channel.ts";
import { readEngagementHandler } from "./jobs/read-engagement.ts";
import { removePartsHandler } from "./jobs/remove-parts.ts";
import { describeWork } from "./metrics/describe-work.ts";
import { createMeters } from "./metrics/meters.ts";
import { createBreakers } from "./publishing/breakers.ts";
import { createLedger } from "./publishing/ledger.ts";

/** A running worker. */
export interface RunningWorker {
  readonly id: string;
  /** Whether every lane of the queue delivers hints; false in direct mode. */
  isQueueHealthy(): boolean;
  /** Hints from the queue that were of no known form: of another version, or not ours. */
  ignoredHints(): number;
  /** What Prometheus may know of it. */
  readonly metrics: Registry;
  /** Takes no more work, lets what is in hand finish, and gives the rest back. */
  stop(): Promise<void>;
}

/** How often this process compares its clock with the database's. */
const SYNC_CLOCK_EVERY_MS = 1_000;

/** What a hand has broken stands still for this long at most. */
const REPAIR_EVERY_MS = 60_000;

/** Between two comparisons of this machine's clock with the database's, which domain time does not need. */
const MEASURE_CLOCK_EVERY_MS = 60_000;

/** In looks for due work: these concern nothing that is urgent to the second. */
const WATCH_EVERY_LOOKS = 50;

/** Starts working. Any number of workers may run, on any number of machines. */
export function startWorker({ context, syncClock }: OpenContext): RunningWorker {
  const { config, log, connectors } = context;
  const id = `${os.hostname()}-${process.pid}-${uuidv7().slice(-6)}`;
  const fences = watchFence(context, id);
  const meters = createMeters();
  const ledger = createLedger(context, id, fences, meters);
  const budgets = openBudgets(context);
  const breakers = createBreakers(context);
  const handlers = new Map<string, Handler>([
    ["publish-channel", publishChannelHandler({ ledger, fences, budgets, breakers, meters })],
    ["read-engagement", readEngagementHandler],
    ["check-receipts", checkReceiptsHandler],
    ["keep-channel", keepChannelHandler],
    ["remove-parts", removePartsHandler],
    ["preflight-channel", preflightChannelHandler],
  ]);
  const leases = createLeaseKeeper(context, id, handlers, meters);
  const lanes = JOBS.flatMap((job) =>
    [...connectors.keys()].map((platform) => ({ job: job.name, lane: platform })),
  );
  const dispatcher = createDispatcher(context, { worker: id, leases, lanes });
  const queue = openQueueFor(context, lanes, dispatcher);

  const looking = repeat(
    config.pollMs,
    () => dispatcher.look(queue),
    (error) => {
      log.warn({ err: error }, "looking for due work failed");
    },
  );
  const syncing = repeat(SYNC_CLOCK_EVERY_MS, syncClock, (error) => {
    log.warn({ err: error }, "the database's clock could not be read");
  });
  const repairing = repeat(
    REPAIR_EVERY_MS,
    () => repair(context),
    (error) => {
      log.warn({ err: error }, "what stands still could not be looked for");
    },
  );
  const watching = repeat(
    config.pollMs * WATCH_EVERY_LOOKS,
    async () => {
      const { db } = context;
      await Promise.all([raiseAlarms(context), wakePreflight(db, TZDB_VERSION), holdWaiting(db)]);
    },
    (error) => {
      log.warn({ err: error }, "what is overdue, held or news could not be looked for");
    },
  );
  const measuring = repeat(
    MEASURE_CLOCK_EVERY_MS,
    async () => meters.clockSkew(await clockSkewMs(context.db)),
    (error) => {
      log.warn({ err: error }, "the clock could not be compared with the database's");
    },
  );
  const isQueueHealthy = (): boolean =>
    queue !== null && lanes.every((lane) => queue.isHealthy(laneOf(lane)));
  describeWork(meters, { leases, lanes, queue, isQueueHealthy });
  log.info({ worker: id, queue: queue ? "redis" : "direct" }, "worker started");
  return {
    id,
    ignoredHints: () => queue?.ignoredHints() ?? 0,
    metrics: meters.register,
    isQueueHealthy,
    async stop() {
      await looking.stop();
      await repairing.stop();
      await watching.stop();
      await measuring.stop();
      dispatcher.stop();
      await queue?.pause();
      await leases.stop();
      await queue?.close();
      breakers.stop();
      await budgets.stop();
      await fences.stop();
      await syncing.stop();
      log.info({ worker: id }, "worker stopped");
    },
  };
}

/** Null in direct mode. */
function openQueueFor(
  { config, db, log }: Context,
  lanes: readonly Lane[],
  { onHint }: Dispatcher,
): WakeQueue | null {
  const { redisUrl, concurrency } = config;
  if (redisUrl === null) return null;
  const onRecovered = (recovered: readonly string[]): void => {
    forgetHandOvers(db, recovered).catch((error: unknown) => {
      // Whatever is lost is found five seconds after its time.
      log.warn({ err: error }, "hints were not handed over anew");
    });
  };
  return openWakeQueue({ redisUrl, lanes, concurrency, log, onHint, onRecovered });
}
