import path from "node:path";
import { checkDatabase, checkRedis } from "../../shared/stores.ts";
import { ensureDatabase, startPostgres } from "../stores/postgres.ts";
import { startRedis } from "../stores/redis.ts";
import { keepStore } from "./keep-store.ts";
import type { KeptStore } from "./keep-store.ts";

/** The stores to work on. */
export interface OpenStores {
  readonly databaseUrl: string;
  /** Null in direct mode. */
  readonly redisUrl: string | null;
  /** For people: one line each. */
  readonly databaseLine: string;
  readonly queueLine: string;
  /** Rejects, with one sentence and the remedy, when the private PostgreSQL has ended and cannot be brought back. */
  readonly lost: Promise<never>;
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
 * Opens the stores that the settings name, and starts private ones for those that they do not. Private ones that end by themselves
 * are started again.
 * @throws {Error} one sentence with the remedy; nothing is left running that was not running before
 */
export async function openStores(choice: StoreChoice): Promise<OpenStores> {
  const kept: KeptStore[] = [];
  const stop = async () => {
    await Promise.all(kept.map((store) => store.stop()));
  };
  let lose: (error: Error) => void = () => undefined;
  const lost = new Promise<never>((_, reject) => {
    lose = reject;
  });
  lost.catch(() => undefined);
  const failed = new AbortController();
  const opening = {
    ...choice,
    kept,
    lose,
    signal: AbortSignal.any([choice.signal, failed.signal]),
  };
  // At the same time, as each of them takes a while; where one fails, the other need not go on.
  const database = openDatabase(opening);
  const queue = openQueue(opening);
  try {
    // Heard at once, whichever fails: a rejection that nobody waits for yet would end the launcher.
    const [found, chosen] = await Promise.all([database, queue]);
    return { ...found, ...chosen, lost, stop };
  } catch (error) {
    failed.abort();
    await Promise.allSettled([database, queue]);
    await stop();
    throw error;
  }
}

interface Opening extends StoreChoice {
  /** Gets what was started. */
  readonly kept: KeptStore[];
  readonly lose: (error: Error) => void;
}

async function openDatabase({
  databaseUrl,
  dataDir,
  kept,
  say,
  lose,
}: Opening): Promise<Pick<OpenStores, "databaseUrl" | "databaseLine">> {
  if (databaseUrl !== null) {
    await checkDatabase(databaseUrl);
    return { databaseUrl, databaseLine: "the one that DATABASE_URL names" };
  }
  const dir = path.join(dataDir, "postgres");
  const again = () => startPostgres({ dir });
  const postgres = await again();
  kept.push(keepStore(postgres, { name: "The private PostgreSQL", again, say, onLoss: lose }));
  const found = postgres.wasRunning ? ", found running" : "";
  return {
    databaseUrl: await ensureDatabase(postgres.url, "postwell"),
    databaseLine: `a private one in ${dir}${found}`,
  };
}

async function openQueue(choice: Opening): Promise<Pick<OpenStores, "redisUrl" | "queueLine">> {
  const { queue, redisUrl, dataDir, kept, say, signal } = choice;
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
  const again = () =>
    startRedis({
      dir: path.join(dataDir, "redis"),
      cacheDir: path.join(dataDir, "cache"),
      say,
      signal,
    });
  const redis = await again();
  if (redis !== null) {
    // Its loss stops nothing: the workers go on without it.
    const onLoss = ({ message }: Error) =>
      say(`${message}\nUntil it is back, workers claim from PostgreSQL.`);
    kept.push(keepStore(redis, { name: "The private Redis", again, say, onLoss }));
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
