import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { startPostgres, stopPostgresIn } from "../../scripts/stores/postgres.ts";
import { inspectProcess } from "../../scripts/stores/processes.ts";
import { startRedis, stopRedisIn } from "../../scripts/stores/redis.ts";

/** The servers of one run of the tests. */
export interface TestStores {
  /** Holds all that they write; `removeTestStores` takes it. Null when nothing had to be started. */
  readonly dir: string | null;
  /** A server on which tests may create databases. */
  readonly databaseUrl: string;
  /** Null where no Redis can be had. */
  readonly redisUrl: string | null;
}

const PREFIX = "test-";

/**
 * Starts what is not given: a PostgreSQL and a Redis that forget everything, below `dataDir`. Their folder also says
 * which process made it, so that a later run can clean up after one that was killed.
 */
export async function startTestStores(
  dataDir: string,
  given: { readonly databaseUrl: string | undefined; readonly redisUrl: string | undefined },
): Promise<TestStores> {
  await removeOrphans(dataDir);
  if (given.databaseUrl !== undefined && given.redisUrl !== undefined) {
    return { dir: null, databaseUrl: given.databaseUrl, redisUrl: given.redisUrl };
  }
  const dir = path.join(dataDir, `${PREFIX}${process.pid}`);
  // Appears with its owner's mark at once: without one, another run would take it for an orphan.
  const draft = path.join(dataDir, `.${PREFIX}${process.pid}`);
  mkdirSync(draft, { recursive: true });
  writeFileSync(path.join(draft, "owner"), ownerOf(process.pid));
  renameSync(draft, dir);
  try {
    return {
      dir,
      databaseUrl: given.databaseUrl ?? (await privatePostgres(dir)),
      redisUrl: given.redisUrl ?? (await privateRedis(dir, path.join(dataDir, "cache"))),
    };
  } catch (error) {
    await removeTestStores(dir);
    throw error;
  }
}

/** Stops the servers of a folder and removes it, whoever started them. Repeatable. */
export async function removeTestStores(dir: string): Promise<void> {
  await Promise.all([
    stopPostgresIn(path.join(dir, "postgres")),
    stopRedisIn(path.join(dir, "redis")),
  ]);
  rmSync(dir, { recursive: true, force: true });
}

async function privatePostgres(dir: string): Promise<string> {
  const { url } = await startPostgres({ dir: path.join(dir, "postgres"), isThrowAway: true });
  return url;
}

async function privateRedis(dir: string, cacheDir: string): Promise<string | null> {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const redis = await startRedis({
    dir: path.join(dir, "redis"),
    cacheDir,
    isThrowAway: true,
    say,
  });
  return redis?.url ?? null;
}

async function removeOrphans(dataDir: string): Promise<void> {
  mkdirSync(dataDir, { recursive: true });
  for (const name of readdirSync(dataDir).filter((entry) => entry.startsWith(PREFIX))) {
    const dir = path.join(dataDir, name);
    if (!isOwned(dir)) await removeTestStores(dir);
  }
}

function isOwned(dir: string): boolean {
  const pid = Number(path.basename(dir).slice(PREFIX.length));
  try {
    return ownerOf(pid) !== "" && readFileSync(path.join(dir, "owner"), "utf8") === ownerOf(pid);
  } catch {
    return false;
  }
}

/** When the process started; empty when it is gone. A pid alone may have passed to another process. */
function ownerOf(pid: number): string {
  return inspectProcess(pid)?.startedAt ?? "";
}
