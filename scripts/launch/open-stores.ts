import path from "node:path";
import { checkDatabase, checkRedis } from "../../shared/stores.ts";
import { ensureDatabase, startPostgres } from "../stores/postgres.ts";
import type { PrivateStore } from "../stores/private-store.ts";
import { startRedis } from "../stores/redis.ts";

/** The stores to work on. */
export interface OpenStores {
  readonly databaseUrl: string;
  /** Null in direct mode. */
  readonly redisUrl: string | null;
  /** For people: one line each. */
  readonly databaseLine: string;
  readonly queueLine: string;
  /** Stops what was started here; what was given stays as it is. */
  stop(): Promise<void>;
}

export interface StoreChoice {
  readonly dataDir: string;
  /** Null asks for a private one. */
  readonly databaseUrl: string | null;
  readonly redisUrl: string | null;
  readonly queue: "auto" | "redis" | "direct";
  readonly say: (line: string) => void;
  /** Ends a download that is under way. */
  readonly signal: AbortSignal;
}

/**
 * Opens the stores that the settings name, and starts private ones for those that they do not.
 * @throws {Error} one sentence with the remedy; nothing is left running that was not running before
 */
export async function openStores(choice: StoreChoice): Promise<OpenStores> {
  const started: PrivateStore[] = [];
  const stop = async () => {
    // Redis first: nothing but the queue needs it.
    for (const store of started.toReversed()) await store.stop();
  };
  try {
    const database = await openDatabase(choice, started);
    const queue = await openQueue(choice, started);
    return { ...database, ...queue, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openDatabase(
  { databaseUrl, dataDir }: StoreChoice,
  started: PrivateStore[],
): Promise<Pick<OpenStores, "databaseUrl" | "databaseLine">> {
  if (databaseUrl !== null) {
    await checkDatabase(databaseUrl);
    return { databaseUrl, databaseLine: "the one that DATABASE_URL names" };
  }
  const dir = path.join(dataDir, "postgres");
  const postgres = await startPostgres({ dir });
  started.push(postgres);
  const found = postgres.wasRunning ? ", found running" : "";
  return {
    databaseUrl: await ensureDatabase(postgres.url, "postwell"),
    databaseLine: `a private one in ${dir}${found}`,
  };
}

async function openQueue(
  choice: StoreChoice,
  started: PrivateStore[],
): Promise<Pick<OpenStores, "redisUrl" | "queueLine">> {
  const { queue, redisUrl, dataDir, say, signal } = choice;
  if (queue === "direct") {
    return {
      redisUrl: null,
      queueLine: "direct mode, as POSTWELL_QUEUE says: workers claim from PostgreSQL",
    };
  }
  if (redisUrl !== null) {
    await checkRedis(redisUrl);
    return { redisUrl, queueLine: "BullMQ on the Redis that REDIS_URL names" };
  }
  const redis = await startRedis({
    dir: path.join(dataDir, "redis"),
    cacheDir: path.join(dataDir, "cache"),
    say,
    signal,
  });
  if (redis !== null) {
    started.push(redis);
    return { redisUrl: redis.url, queueLine: `BullMQ on a private Redis (${redis.origin})` };
  }
  if (queue === "redis") {
    throw new Error(
      "POSTWELL_QUEUE is redis, and there is no Redis: set REDIS_URL, install redis-server or valkey-server, or use POSTWELL_QUEUE=auto.",
    );
  }
  return {
    redisUrl: null,
    queueLine:
      "direct mode, as there is no Redis: workers claim from PostgreSQL. For BullMQ install redis-server or valkey-server, or set REDIS_URL",
  };
}
