import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { openDb, type Db } from "../../shared/db/client.ts";
import { migrate } from "../../shared/db/migrate.ts";
import { endLeftovers, lockDataDir } from "../launch/launcher-lock.ts";
import { ensureDatabase, startPostgres, stopPostgresIn } from "../stores/postgres.ts";
import { startRedis, stopRedisIn } from "../stores/redis.ts";

/** Databases of the demo's own: what it does to time must never reach anybody else's. */
export interface DemoStores {
  readonly databaseUrl: string;
  /** Null in direct mode. */
  readonly redisUrl: string | null;
  /** For people. */
  readonly queueLine: string;
  readonly db: Db;
}

export interface StoresStart {
  /** Where Postwell keeps its data; the demo has a folder in it. */
  readonly dataDir: string;
  readonly queue: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** Asked at the end: whether somebody will want to read the logs. */
  readonly keepsLogs: () => boolean;
  /** Gets what the end must do, latest last. */
  readonly undo: (() => unknown)[];
}

export function demoDir(dataDir: string): string {
  return path.join(dataDir, "demo");
}

/**
 * Starts stores that forget everything, in an empty folder.
 * @throws {Error} with a remedy, when another demo is running
 */
export async function openDemoStores(start: StoresStart): Promise<DemoStores> {
  const { dataDir, undo } = start;
  const dir = demoDir(dataDir);
  mkdirSync(dir, { recursive: true });
  const unlock = lockDataDir(dir);
  undo.push(() => {
    unlock();
    if (start.keepsLogs() && existsSync(path.join(dir, "logs"))) clearFolder(dir, ["logs"]);
    else rmSync(dir, { recursive: true, force: true });
  });
  await clearAway(dir);

  const postgres = await startPostgres({ dir: path.join(dir, "postgres"), isThrowAway: true });
  undo.push(() => postgres.stop());
  start.signal.throwIfAborted();
  const databaseUrl = await ensureDatabase(postgres.url, "demo");
  await migrate(databaseUrl);
  const db = openDb(databaseUrl, { name: "postwell-demo", maxConnections: 2 });
  undo.push(() => db.destroy());
  return { databaseUrl, db, ...(await openQueue(start)) };
}

async function openQueue({
  dataDir,
  queue,
  say,
  signal,
  undo,
}: StoresStart): Promise<Pick<DemoStores, "redisUrl" | "queueLine">> {
  const direct = "direct mode: workers claim from PostgreSQL";
  if (queue === "direct") return { redisUrl: null, queueLine: direct };
  const redis = await startRedis({
    dir: path.join(demoDir(dataDir), "redis"),
    cacheDir: path.join(dataDir, "cache"),
    isThrowAway: true,
    say,
    signal,
  });
  if (redis !== null) {
    undo.push(() => redis.stop());
    return { redisUrl: redis.url, queueLine: "BullMQ on a private Redis" };
  }
  if (queue !== "redis") return { redisUrl: null, queueLine: `${direct}, as there is no Redis` };
  throw new Error(
    "POSTWELL_QUEUE is redis, and there is no Redis: install redis-server or valkey-server, or use POSTWELL_QUEUE=auto.",
  );
}

/** Ends and removes what a demo left behind that was killed. */
async function clearAway(dir: string): Promise<void> {
  await endLeftovers(dir);
  const [postgres, redis] = [path.join(dir, "postgres"), path.join(dir, "redis")];
  await Promise.all([stopPostgresIn(postgres), stopRedisIn(redis)]);
  clearFolder(dir, ["launcher.lock"]);
}

function clearFolder(dir: string, kept: readonly string[]): void {
  for (const name of readdirSync(dir)) {
    if (!kept.includes(name)) rmSync(path.join(dir, name), { recursive: true, force: true });
  }
}
