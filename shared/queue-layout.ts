import type { Redis } from "ioredis";

/** Before all keys of ours in Redis. */
export const QUEUE_PREFIX = "postwell";

/** One queue a job and lane, so that a slow platform fills its own queue only. */
export function queueName({ job, lane }: { readonly job: string; readonly lane: string }): string {
  return `${job}-${lane}`;
}

/** Where every worker sees which lane's canary came through last, by Redis' own clock. */
const SEEN_KEY = "postwell:canary:seen";

/** A lane without a canary for this long is not trusted with hints. */
const TRUST_MS = 4_000;

/** Notes that a canary has made its way through a lane. @param lane as `job/lane` */
export async function noteCanary(redis: Redis, lane: string): Promise<void> {
  await redis.hset(SEEN_KEY, lane, await redisTimeMs(redis));
}

/**
 * The lanes through which a canary came of late, as `job/lane`: a connection that answers says nothing about a wedged or paused
 * queue. Workers send the canaries, so without a worker no lane delivers.
 */
export async function lanesThatDeliver(redis: Redis): Promise<ReadonlySet<string>> {
  const now = await redisTimeMs(redis);
  const seen = Object.entries(await redis.hgetall(SEEN_KEY));
  return new Set(seen.filter(([, at]) => now - Number(at) < TRUST_MS).map(([lane]) => lane));
}

async function redisTimeMs(redis: Redis): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
}
