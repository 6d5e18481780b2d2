import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { PROJECT_ROOT } from "../../shared/project-root.ts";
import type { PrivateStore } from "../stores/private-store.ts";
import { ensureDatabase, startPostgres, stopPostgresIn } from "../stores/postgres.ts";
import { inspectProcess } from "../stores/processes.ts";
import { startRedis, stopRedisIn } from "../stores/redis.ts";
import { stopProcess } from "../stores/processes.ts";

/** Throw-away stores that keep what they are told as real ones do, and that may be killed. */
export interface DrillStores {
  readonly dir: string;
  /** Of Postwell's database, without anything that names a process. */
  readonly databaseUrl: string;
  /** Null in direct mode. */
  readonly redisUrl: string | null;
  redisPid(): number;
  /** Kills at once and starts again after a while, with what was kept on disk. */
  restartRedis(downMs: number): Promise<void>;
  /** As `pg_ctl restart -m immediate`. */
  restartPostgres(downMs: number): Promise<void>;
  /** What the servers have written. */
  readonly logFiles: readonly string[];
  /** What Redis has kept of all that it was told. */
  readonly redisFolder: string;
  close(options: { keep: boolean }): Promise<void>;
}

export interface StoresStart {
  readonly withRedis: boolean;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

const PREFIX = "drill-";
/** The next drill leaves these alone. */
const KEPT_PREFIX = "kept-drill-";

/** Starts them in a folder of their own below the data folder, after clearing away those of drills that were killed. */
export async function openStores({ withRedis, signal, say }: StoresStart): Promise<DrillStores> {
  const dataDir = path.resolve(PROJECT_ROOT, process.env["POSTWELL_DATA_DIR"] || "data");
  await removeOrphans(dataDir);
  const dir = freshFolder(dataDir);
  const restarts = new Set<Promise<void>>();
  const inHand = (restart: () => Promise<void>) => {
    const promise = restart();
    restarts.add(promise);
    return promise;
  };
  const close = async ({ keep }: { keep: boolean }) => {
    // A server that is just being started would outlive us.
    await Promise.allSettled(restarts);
    await Promise.all([stopPostgresIn(path.join(dir, "postgres")), stopRedisIn(redisDir)]);
    if (!keep) return rmSync(dir, { recursive: true, force: true });
    const kept = path.join(dataDir, path.basename(dir).replace(PREFIX, KEPT_PREFIX));
    renameSync(dir, kept);
    say(`kept everything in ${kept}`);
  };
  const redisDir = path.join(dir, "redis");
  const redisStart = { dir: redisDir, cacheDir: path.join(dataDir, "cache"), say, signal };
  try {
    const postgresDir = path.join(dir, "postgres");
    let postgres = await startPostgres({ dir: postgresDir });
    let redis: PrivateStore | null = withRedis ? await startRedis(redisStart) : null;
    if (withRedis && !redis) throw new Error("No Redis can be had here; use --queue direct.");
    const databaseUrl = await ensureDatabase(postgres.url, "postwell");
    return {
      dir,
      databaseUrl,
      redisUrl: redis?.url ?? null,
      redisPid: () => redis?.pid ?? 0,
      redisFolder: path.join(redisDir, "kept"),
      logFiles: [path.join(postgresDir, "postgres.log"), path.join(redisDir, "redis.log")],
      restartRedis: (downMs) =>
        inHand(async () => {
          await endAtOnce(redis?.pid ?? 0, "SIGKILL", downMs);
          redis = await startRedis(redisStart);
        }),
      restartPostgres: (downMs) =>
        inHand(async () => {
          await endAtOnce(postgres.pid, "SIGQUIT", downMs);
          // On a busy machine its recovery may take longer than a start is given.
          const again = () => startPostgres({ dir: postgresDir });
          postgres = await again().catch(again);
        }),
      close,
    };
  } catch (error) {
    await close({ keep: false });
    throw error;
  }
}

async function endAtOnce(pid: number, signal: NodeJS.Signals, downMs: number): Promise<void> {
  if (pid === 0) return;
  await stopProcess(pid, [
    { signal, waitMs: 5_000 },
    { signal: "SIGKILL", waitMs: 5_000 },
  ]);
  await new Promise((resolve) => setTimeout(resolve, downMs));
}

/** Two drills of one process, as in the tests, do not share a folder. */
function freshFolder(dataDir: string): string {
  const taken = readdirSync(dataDir);
  let count = 0;
  while (taken.includes(`${PREFIX}${process.pid}-${count}`)) count += 1;
  const dir = path.join(dataDir, `${PREFIX}${process.pid}-${count}`);
  mkdirSync(dir);
  return dir;
}

/** What an earlier drill left behind because it was killed. */
async function removeOrphans(dataDir: string): Promise<void> {
  mkdirSync(dataDir, { recursive: true });
  for (const name of readdirSync(dataDir).filter((entry) => entry.startsWith(PREFIX))) {
    const pid = Number(name.slice(PREFIX.length).split("-")[0]);
    if (inspectProcess(pid) !== null) continue;
    const dir = path.join(dataDir, name);
    await Promise.all([
      stopPostgresIn(path.join(dir, "postgres")),
      stopRedisIn(path.join(dir, "redis")),
    ]);
    rmSync(dir, { recursive: true, force: true });
  }
}
