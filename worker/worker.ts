import os from "node:os";
import { v7 as uuidv7 } from "uuid";
import type { OpenContext } from "../shared/context.ts";
import { JOBS } from "../shared/jobs/registry.ts";
import { createDispatcher } from "./engine/dispatcher.ts";
import type { Handler } from "./engine/handler.ts";
import { createLeaseKeeper } from "./engine/lease-keeper.ts";
import { openWakeQueue, type WakeQueue } from "./engine/queue.ts";
import { publishChannelHandler } from "./jobs/publish-channel.ts";
import { readEngagementHandler } from "./jobs/read-engagement.ts";
import { createLedger } from "./publishing/ledger.ts";

/** A running worker. */
export interface RunningWorker {
  readonly id: string;
  /** Takes no more work, lets what is in hand finish, and gives the rest back. */
  stop(): Promise<void>;
}

/** How often this process compares its clock with the database's. */
const SYNC_CLOCK_EVERY_MS = 1_000;

/** Starts working. Any number of workers may run, on any number of machines. */
export function startWorker({ context, syncClock }: OpenContext): RunningWorker {
  const { config, log, connectors } = context;
  const id = `${os.hostname()}-${process.pid}-${uuidv7().slice(-6)}`;
  const ledger = createLedger(context, id);
  const handlers = new Map<string, Handler>([
    ["publish-channel", publishChannelHandler(ledger)],
    ["read-engagement", readEngagementHandler],
  ]);
  const leases = createLeaseKeeper(context, id, handlers);
  const dispatcher = createDispatcher(context, id, leases);
  const lanes = JOBS.flatMap((job) =>
    [...connectors.keys()].map((lane) => ({ job: job.name, lane })),
  );
  const { redisUrl, concurrency } = config;
  const queue: WakeQueue | null =
    redisUrl === null
      ? null
      : openWakeQueue({ redisUrl, lanes, concurrency, log, onHint: dispatcher.onHint });

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
  log.info({ worker: id, queue: queue ? "redis" : "direct" }, "worker started");
  return {
    id,
    async stop() {
      await looking.stop();
      await queue?.pause();
      await leases.stop();
      await queue?.close();
      await syncing.stop();
      log.info({ worker: id }, "worker stopped");
    },
  };
}

/** Does something again and again, one at a time, with a pause in between. */
function repeat(
  everyMs: number,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): { stop: () => Promise<void> } {
  let isStopped = false;
  let wakeUp = (): void => {};
  async function loop(): Promise<void> {
    while (!isStopped) {
      await work().catch(onError);
      if (isStopped) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, everyMs);
        wakeUp = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
  const done = loop();
  return {
    async stop() {
      isStopped = true;
      wakeUp();
      await done;
    },
  };
}
