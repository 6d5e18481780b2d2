import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import * as z from "zod";
import type { Hint } from "../../shared/db/outbox.ts";
import type { Logger } from "../../shared/logger.ts";
import { QUEUE_PREFIX, queueName } from "../../shared/queue-layout.ts";
import { watchCanaries, type Canaries } from "./canary.ts";
import { laneOf, type Lane } from "./lane.ts";

/** What travels through the queue: ids, and nothing else. Strict, so that a payload of another version is noticed. */
const Payload = z.union([
  z.strictObject({ subjectId: z.uuid(), revision: z.int() }),
  z.strictObject({ isCanary: z.literal(true) }),
]);
type Payload = z.infer<typeof Payload>;

/** A Redis that does not answer within this is as good as gone. */
const COMMAND_TIMEOUT_MS = 2_000;

/** BullMQ on Redis: wakes workers at the right moment. It is never asked what is to be done. */
export interface WakeQueue {
  /** Whether a lane's hints are likely to come back. While not, workers lease its work from PostgreSQL directly. */
  isHealthy(lane: string): boolean;
  /** How many hints were of no known form. What they meant is in the outbox all the same. */
  ignoredHints(): number;
  /** @throws {Error} when Redis does not take them */
  add(hints: readonly Hint[]): Promise<void>;
  /** Takes no more hints. */
  pause(): Promise<void>;
  close(): Promise<void>;
}

export interface WakeQueueOptions {
  readonly redisUrl: string;
  /** Every `job/lane` that a hint may name. */
  readonly lanes: readonly Lane[];
  readonly concurrency: number;
  readonly log: Logger;
  /** Called when a hint's time has come. */
  readonly onHint: (lane: Lane, subjectId: string) => Promise<void>;
  /** Told which lanes deliver again: hints that they were given before may be lost. */
  readonly onRecovered: (lanes: readonly string[]) => void;
}

export function openWakeQueue(options: WakeQueueOptions): WakeQueue {
  const { log } = options;
  const commands = connect(options.redisUrl, log, {
    maxRetriesPerRequest: 1,
    commandTimeout: COMMAND_TIMEOUT_MS,
    enableOfflineQueue: false,
  });
  const blocking = connect(options.redisUrl, log, { maxRetriesPerRequest: null });
  const queues = new Map<string, Queue>();
  for (const lane of options.lanes) {
    queues.set(laneOf(lane), openQueue(queueName(lane), commands, log));
  }
  const canaries = watchCanaries({
    redis: commands,
    send: async () => {
      const sent = [...queues.values()].map((queue) => queue.add("canary", { isCanary: true }));
      await Promise.all(sent);
    },
    onRecovered: options.onRecovered,
    log,
  });
  let ignored = 0;
  const onUnknown = (queue: string): void => {
    ignored += 1;
    log.warn({ queue, ignored }, "hint of an unknown form ignored");
  };
  const workers = options.lanes.map((lane) =>
    openWorker(lane, blocking, { ...options, canaries, onUnknown }),
  );
  return {
    ignoredHints: () => ignored,
    isHealthy: (lane) => canaries.isHealthy(lane),
    add: (hints) => addToQueues(queues, hints),
    pause: async () => void (await Promise.all(workers.map((worker) => worker.pause(true)))),
    async close() {
      canaries.stop();
      // Handlers have ended before this is called, so nothing is cut off; a Redis that is away must not keep us.
      await Promise.allSettled(workers.map((worker) => worker.close(true)));
      await Promise.allSettled([...queues.values()].map((queue) => queue.close()));
      commands.disconnect();
      blocking.disconnect();
    },
  };
}

async function addToQueues(
  queues: ReadonlyMap<string, Queue>,
  hints: readonly Hint[],
): Promise<void> {
  for (const [lane, queue] of queues) {
    const own = hints.filter((hint) => laneOf(hint) === lane);
    if (own.length > 0) await queue.addBulk(own.map(jobOf));
  }
}

/** Rounded up: a hint that comes a moment late is better than one that comes a moment early. */
function jobOf(hint: Hint): { name: string; data: Payload; opts: { delay: number } } {
  const { job, subjectId, revision, delayMs } = hint;
  return { name: job, data: { subjectId, revision }, opts: { delay: Math.ceil(delayMs) } };
}

function connect(url: string, log: Logger, options: ConnectOptions): Redis {
  // A second at most: after an outage, workers are back within it.
  const client = new Redis(url, {
    ...options,
    retryStrategy: (tries) => Math.min(tries * 100, 1_000),
  });
  client.on("error", (error: Error) => log.debug({ err: error }, "redis connection"));
  client.setMaxListeners(0);
  return client;
}

interface ConnectOptions {
  readonly maxRetriesPerRequest: number | null;
  readonly commandTimeout?: number;
  readonly enableOfflineQueue?: boolean;
}

function openQueue(name: string, connection: Redis, log: Logger): Queue {
  const queue = new Queue(name, {
    connection,
    prefix: QUEUE_PREFIX,
    // A hint is tried once: whether there is anything to repeat is decided in PostgreSQL.
    defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: 100 },
    streams: { events: { maxLen: 1_000 } },
    skipMetasUpdate: true,
  });
  queue.on("error", (error) => log.debug({ err: error }, "queue"));
  return queue;
}

interface LaneOptions extends WakeQueueOptions {
  readonly canaries: Canaries;
  /** Told of a hint that is of another version, or not ours. */
  readonly onUnknown: (queue: string) => void;
}

function openWorker(lane: Lane, connection: Redis, options: LaneOptions): Worker {
  const worker = new Worker(
    queueName(lane),
    async ({ data }) => {
      const payload = Payload.safeParse(data);
      if (!payload.success) {
        // Of another version, or not ours. The outbox still has the truth, so nothing is lost.
        options.onUnknown(queueName(lane));
      } else if ("isCanary" in payload.data) {
        await options.canaries.cameThrough(laneOf(lane));
      } else {
        await options.onHint(lane, payload.data.subjectId);
      }
    },
    {
      connection,
      prefix: QUEUE_PREFIX,
      concurrency: options.concurrency,
      lockDuration: 10_000,
      stalledInterval: 5_000,
      maxStalledCount: 3,
      // BullMQ must look which Redis this is: without it, a wait ends on whole seconds.
    },
  );
  worker.on("error", (error) => options.log.debug({ err: error }, "queue worker"));
  return worker;
}
