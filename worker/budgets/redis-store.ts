import { Redis } from "ioredis";
import { RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import type { BudgetGrant, BudgetNote, BudgetWish } from "../../shared/db/budget-usage.ts";
import type { Logger } from "../../shared/logger.ts";
import type { BudgetStore } from "./store.ts";

/** A budget must not keep a post waiting for a Redis that is gone. */
const COMMAND_TIMEOUT_MS = 300;

/** After a failure Redis is not asked for this long. */
const DISTRUST_MS = 5_000;

const NOTE_EVERY_MS = 1_000;

export interface RedisBudgetOptions {
  readonly redisUrl: string;
  readonly log: Logger;
  /** Counts where Redis cannot, and is told what Redis has counted. */
  readonly insurance: BudgetStore;
  /** @returns what is taken of each bucket in all */
  readonly note: (notes: readonly BudgetNote[]) => Promise<readonly number[]>;
}

/** A store with something to shut down. */
export interface RedisBudgets extends BudgetStore {
  stop(): Promise<void>;
}

interface Counted {
  readonly limiter: RateLimiterRedis;
  readonly bucket: string;
  readonly wish: BudgetWish;
  /** By this worker, in all. */
  taken: number;
  /** Of these, not noted yet. */
  unnoted: number;
}

/**
 * Counts in Redis, and tells PostgreSQL every second. A window in which Redis failed, or knows of less than PostgreSQL does because
 * it was wiped or somebody could not reach it, is counted in PostgreSQL to its end: so the loss of Redis gives nobody a
 * second budget, and its return neither.
 */
export function redisBudgets(options: RedisBudgetOptions): RedisBudgets {
  const { log, insurance, note } = options;
  const client = connect(options.redisUrl, log);
  const limiters = new Map<string, RateLimiterRedis>();
  const counted = new Map<string, Counted>();
  /** Buckets that are not counted in Redis, with the time of their end, ms. */
  const insured = new Map<string, number>();
  let distrustedUntilMs = 0;

  function insure(bucket: string, wish: BudgetWish): Promise<BudgetGrant> {
    insured.set(bucket, wish.forgetAt.getTime());
    return insurance.take(wish);
  }
  async function flush(): Promise<void> {
    const dirty = [...counted.values()].filter(({ unnoted }) => unnoted > 0);
    if (dirty.length === 0) return;
    const notes = dirty.map(({ wish, unnoted }) => ({ ...wish, used: unnoted }));
    // At once, so that another flush does not note the same.
    for (const entry of dirty) entry.unnoted = 0;
    const totals = await note(notes).catch((error: unknown) => {
      for (const [index, entry] of dirty.entries()) entry.unnoted += notes[index]?.used ?? 0;
      throw error;
    });
    for (const [index, { limiter, bucket, wish }] of dirty.entries()) {
      // Asked after noting: whatever is noted was taken from Redis before, unless Redis has forgotten it.
      const inRedis = (await limiter.get(bucket))?.consumedPoints ?? 0;
      if ((totals[index] ?? 0) > inRedis) insured.set(bucket, wish.forgetAt.getTime());
    }
  }
  async function takeFromRedis(bucket: string, wish: BudgetWish): Promise<BudgetGrant> {
    const limiter = limiterFor(limiters, client, wish);
    const entry = counted.get(bucket) ?? { limiter, bucket, wish, taken: 0, unnoted: 0 };
    counted.set(bucket, entry);
    const usedBefore = await consume(limiter, bucket, wish);
    if (usedBefore < entry.taken) throw new Error("Redis has forgotten what was taken.");
    const granted = Math.max(0, Math.min(wish.count, wish.limit - usedBefore));
    entry.taken += granted;
    entry.unnoted += granted;
    return { granted, oldest: null };
  }
  function forgetEnded(): void {
    const endedBefore = Math.max(
      0,
      ...[...counted.values()].map(({ wish }) => wish.bucketAt.getTime()),
    );
    for (const [bucket, { wish, unnoted }] of counted)
      if (unnoted === 0 && wish.forgetAt.getTime() <= endedBefore) counted.delete(bucket);
    for (const [bucket, endsAt] of insured) if (endsAt <= endedBefore) insured.delete(bucket);
  }
  async function tick(): Promise<void> {
    await flush().catch((error: unknown) => log.debug({ err: error }, "budgets not noted"));
    forgetEnded();
  }

  const timer = setInterval(() => void tick(), NOTE_EVERY_MS);
  const isReady = firstConnection(client);
  return {
    async take(wish) {
      const bucket = `${wish.key}/${wish.bucketAt.getTime()}`;
      if (insured.has(bucket) || performance.now() < distrustedUntilMs) return insure(bucket, wish);
      await isReady;
      try {
        return await takeFromRedis(bucket, wish);
      } catch (error) {
        distrustedUntilMs = performance.now() + DISTRUST_MS;
        log.warn({ err: error }, "budgets are counted without Redis");
        await tick();
        return insure(bucket, wish);
      }
    },
    async stop() {
      clearInterval(timer);
      await tick();
      client.disconnect();
    },
  };
}

/** Counts the wish whole, also where it goes beyond the limit. @returns what was counted before it */
async function consume(
  limiter: RateLimiterRedis,
  bucket: string,
  { count }: BudgetWish,
): Promise<number> {
  const { consumedPoints } = await limiter.consume(bucket, count).catch((refusal: unknown) => {
    if (refusal instanceof RateLimiterRes) return refusal;
    throw refusal;
  });
  return consumedPoints - count;
}

function limiterFor(
  limiters: Map<string, RateLimiterRedis>,
  client: Redis,
  { limit, bucketAt, forgetAt }: BudgetWish,
): RateLimiterRedis {
  const duration = Math.ceil((forgetAt.getTime() - bucketAt.getTime()) / 1_000);
  const key = `${limit}/${duration}`;
  const known = limiters.get(key);
  if (known) return known;
  const limiter = new RateLimiterRedis({
    storeClient: client,
    keyPrefix: "postwell:budget",
    points: limit,
    duration,
    rejectIfRedisNotReady: true,
  });
  limiters.set(key, limiter);
  return limiter;
}

function connect(redisUrl: string, log: Logger): Redis {
  const client = new Redis(redisUrl, {
    maxRetriesPerRequest: 1,
    commandTimeout: COMMAND_TIMEOUT_MS,
    enableOfflineQueue: false,
    // Many channels' wishes travel together.
    enableAutoPipelining: true,
    retryStrategy: (tries) => Math.min(tries * 100, 1_000),
  });
  client.on("error", (error: Error) => log.debug({ err: error }, "redis connection"));
  return client;
}

/** Settles when there is a connection, or it has taken too long. */
function firstConnection(client: Redis): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, COMMAND_TIMEOUT_MS);
    client.once("ready", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
