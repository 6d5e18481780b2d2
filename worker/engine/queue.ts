import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import * as z from "zod";
import type { Hint } from "../../shared/db/outbox.ts";
import type { Logger } from "../../shared/logger.ts";

/** What travels through the queue: ids, and nothing else. Strict, so that a payload of another version is noticed. */
const Payload = z.strictObject({ subjectId: z.uuid(), revision: z.int() });

const PREFIX = "postwell";
const PING_EVERY_MS = 1_000;

/** A Redis that does not answer within this is as good as gone. */
const COMMAND_TIMEOUT_MS = 2_000;

/** BullMQ on Redis: wakes workers at the right moment. It is never asked what is to be done. */
export interface WakeQueue {
  /** Whether hints given to it are likely to come back. While not, workers claim from PostgreSQL directly. */
  isHealthy(): boolean;
  /** @throws {Error} when Redis does not take them */
  add(hints: readonly Hint[]): Promise<void>;
  /** Takes no more hints. */
  pause(): Promise<void>;
  close(): Promise<void>;
}

export interface WakeQueueOptions {
  readonly redisUrl: string;
  /** Every `job/lane` that a hint may name. */
  readonly lanes: readonly { readonly job: string; readonly lane: string }[];
  readonly concurrency: number;
  readonly log: Logger;
  /** Called when a hint's time has come. */
  readonly onHint: (job: string, subjectId: string) => Promise<void>;
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
  const workers: Worker[] = [];
  for (const { job, lane } of options.lanes) {
    const name = queueName(job, lane);
    queues.set(name, openQueue(name, commands, log));
    workers.push(openWorker(name, job, blocking, options));
  }
  const health = watchHealth(commands, log);
  return {
    isHealthy: () => health.isHealthy(),
    add: (hints) => addToQueues(queues, hints),
    pause: async () => void (await Promise.all(workers.map((worker) => worker.pause(true)))),
    async close() {
      health.stop();
      // Handlers have ended before this is called, so nothing is cut off; a Redis that is away must not keep us.
      await Promise.allSettled(workers.map((worker) => worker.close(true)));
      await Promise.allSettled([...queues.values()].map((queue) => queue.close()));
      commands.disconnect();
      blocking.disconnect();
    },
  };
}

/** One queue a job and lane, so that a slow platform fills its own queue only. */
export function queueName(job: string, lane: string): string {
  return `${job}-${lane}`;
}

async function addToQueues(
  queues: ReadonlyMap<string, Queue>,
  hints: readonly Hint[],
): Promise<void> {
  for (const [name, queue] of queues) {
    const own = hints.filter(({ job, lane }) => queueName(job, lane) === name);
    if (own.length > 0) await queue.addBulk(own.map(jobOf));
  }
}

/** Rounded up: a hint that comes a moment late is better than one that comes a moment early. */
function jobOf(hint: Hint): {
  name: string;
  data: z.infer<typeof Payload>;
  opts: { delay: number };
} {
  return { name: hint.job, data: payloadOf(hint), opts: { delay: Math.ceil(hint.delayMs) } };
}

function payloadOf({ subjectId, revision }: Hint): z.infer<typeof Payload> {
  return { subjectId, revision };
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
    prefix: PREFIX,
    // A hint is tried once: whether there is anything to repeat is decided in PostgreSQL.
    defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: 100 },
    streams: { events: { maxLen: 1_000 } },
    skipMetasUpdate: true,
    skipWaitingForReady: true,
  });
  queue.on("error", (error) => log.debug({ err: error }, "queue"));
  return queue;
}

function openWorker(
  name: string,
  job: string,
  connection: Redis,
  options: WakeQueueOptions,
): Worker {
  const worker = new Worker(
    name,
    async ({ data }) => {
      const payload = Payload.safeParse(data);
      if (!payload.success) {
        // Of another version, or not ours. The outbox still has the truth, so nothing is lost.
        options.log.warn({ queue: name }, "hint of an unknown form ignored");
        return;
      }
      await options.onHint(job, payload.data.subjectId);
    },
    {
      connection,
      prefix: PREFIX,
      concurrency: options.concurrency,
      lockDuration: 10_000,
      stalledInterval: 5_000,
      maxStalledCount: 3,
      skipVersionCheck: true,
    },
  );
  worker.on("error", (error) => options.log.debug({ err: error }, "queue worker"));
  return worker;
}

interface Health {
  isHealthy(): boolean;
  stop(): void;
}

/** Two good answers in a row make it healthy, one bad answer ends it. */
function watchHealth(client: Redis, log: Logger): Health {
  let good = 0;
  async function look(): Promise<void> {
    const before = good >= 2;
    try {
      await client.ping();
      good += 1;
    } catch {
      good = 0;
    }
    if (before !== good >= 2) log.info({ isHealthy: good >= 2 }, "queue health changed");
  }
  void look();
  const timer = setInterval(() => void look(), PING_EVERY_MS);
  return { isHealthy: () => good >= 2, stop: () => clearInterval(timer) };
}
