import type { Redis } from "ioredis";
import { lanesThatDeliver } from "../../shared/queue-layout.ts";
import type { NamedQueue } from "./open-queues.ts";

const COUNTED = ["waiting", "delayed", "active", "failed"] as const;

const ANSWER_WITHIN_MS = 1_500;

/** Hints of one queue in one state. */
export interface QueueDepth {
  readonly queue: string;
  readonly state: (typeof COUNTED)[number];
  readonly count: number;
}

/** What the API can know about the queue. Each question costs a command a queue, and has a second for its answer. */
export interface QueueState {
  /** Null where Redis does not answer. */
  depths(): Promise<readonly QueueDepth[] | null>;
  /** Lanes that deliver no hints, as `job/platform`; null where Redis does not answer. */
  silentLanes(): Promise<readonly string[] | null>;
}

export function createQueueState(redis: Redis, queues: readonly NamedQueue[]): QueueState {
  return {
    depths: () => orNull(countAll(queues)),
    silentLanes: () => orNull(silentLanes(redis, queues)),
  };
}

/** A Redis that is away is the workers' to report; here it must not keep anybody waiting either. */
async function orNull<T>(asking: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const giveUp = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ANSWER_WITHIN_MS);
  });
  try {
    return await Promise.race([asking, giveUp]);
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

async function countAll(queues: readonly NamedQueue[]): Promise<readonly QueueDepth[]> {
  const counted = await Promise.all(
    queues.map(async ({ queue }) => {
      const counts = await queue.getJobCounts(...COUNTED);
      return COUNTED.map((state) => ({ queue: queue.name, state, count: counts[state] ?? 0 }));
    }),
  );
  return counted.flat();
}

async function silentLanes(
  redis: Redis,
  queues: readonly NamedQueue[],
): Promise<readonly string[]> {
  const delivering = await lanesThatDeliver(redis);
  return queues.map(({ job, lane }) => `${job}/${lane}`).filter((lane) => !delivering.has(lane));
}
