import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { migrate } from "../../shared/db/migrate.ts";
import { PROJECT_ROOT } from "../../shared/project-root.ts";
import { usablePort } from "../stores/processes.ts";
import { openApi, type ApiClient } from "./api.ts";
import { startChild, stopChild } from "./child.ts";
import { startMember, type Member } from "./crew.ts";
import { named, openDatabase, type DrillDatabase } from "./database.ts";
import { WORKERS } from "./faults.ts";
import type { DrillOptions } from "./options.ts";
import { openPlatforms, type Platforms } from "./platforms.ts";
import { openStores, type DrillStores } from "./stores.ts";

/** Everything that runs in a drill. */
export interface Stage {
  readonly options: DrillOptions;
  readonly stores: DrillStores;
  readonly database: DrillDatabase;
  readonly platforms: Platforms;
  readonly api: ApiClient;
  readonly apiProcess: Member;
  readonly workers: readonly Member[];
  readonly logDir: string;
  /** Of a worker, whatever its number. */
  readonly environment: Readonly<Record<string, string>>;
  /** What must turn up in no queue and no log. */
  readonly secrets: string[];
  /** Processes that ended by themselves. */
  readonly crashes: string[];
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** The last worker's clock is ahead by this, which is allowed. */
const TOLERATED_MS = 1_000;

/** So that minutes are enough for what takes a quarter of an hour in production. */
const SCALED = {
  POSTWELL_COMMIT_TIMEOUT_SECONDS: "3",
  POSTWELL_CATCH_UP_GAP_SECONDS: "0",
};

/** Starts stores, platforms, api and workers. @returns also how to end all of it; that is repeatable */
export async function openStage(
  options: DrillOptions,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<{ stage: Stage; close: () => Promise<void> }> {
  const undo: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const step of undo.splice(0).toReversed()) await step().catch(() => undefined);
  };
  try {
    const stage = await open(options, { signal, say, undo });
    return { stage, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Opening {
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  readonly undo: (() => Promise<unknown>)[];
}

async function open(options: DrillOptions, { signal, say, undo }: Opening): Promise<Stage> {
  const stores = await openStores({ withRedis: options.queue === "redis", signal, say });
  undo.push(() => stores.close({ keep: options.keep }));
  const logDir = path.join(stores.dir, "logs");
  mkdirSync(logDir);
  await migrate(stores.databaseUrl);
  const database = openDatabase(stores.databaseUrl);
  undo.push(() => database.close());
  // Its process is killed, the machine is not: what was written stays written without waiting for the disk.
  await database.rows("alter system set fsync = off");
  await database.rows("select pg_reload_conf()");
  const platforms = await startPlatforms(logDir, undo);
  const token = `pw_${randomBytes(24).toString("hex")}`;
  const secretKey = randomBytes(32).toString("base64");
  const port = await usablePort(0);
  const environment = environmentOf({ stores, platforms, secretKey });
  const crashes: string[] = [];
  const onCrash = (what: string) => {
    crashes.push(what);
    say(`CRASH ${what}`);
  };
  const keep = { logDir, onCrash };
  const apiProcess = startMember({
    ...keep,
    name: "api",
    script: "api/main.js",
    readyLine: "api listening",
    env: {
      ...environment,
      DATABASE_URL: named(stores.databaseUrl, "api"),
      POSTWELL_HOST: "127.0.0.1",
      PORT: String(port),
      POSTWELL_BOOTSTRAP_TOKEN: token,
    },
  });
  undo.push(() => apiProcess.close());
  const workers = Array.from({ length: WORKERS }, (_, number) =>
    startMember({ ...keep, ...workerStart(environment, stores, number) }),
  );
  undo.push(() => Promise.all(workers.map((worker) => worker.close())));
  await Promise.all([apiProcess, ...workers].map((member) => member.untilReady(signal)));
  const api = openApi(`http://127.0.0.1:${port}`, token);
  const secrets = [token, secretKey];
  const running = { stores, database, platforms, api, apiProcess, workers };
  return { options, ...running, logDir, environment, secrets, crashes, signal, say };
}

async function startPlatforms(
  logDir: string,
  undo: (() => Promise<unknown>)[],
): Promise<Platforms> {
  const child = startChild({
    name: "platforms",
    script: "scripts/drill/platforms-process.js",
    env: {},
    logFile: path.join(logDir, "platforms.log"),
  });
  undo.push(() => stopChild(child, 1_000));
  return openPlatforms(child);
}

function environmentOf({
  stores,
  platforms,
  secretKey,
}: {
  stores: DrillStores;
  platforms: Platforms;
  secretKey: string;
}): Record<string, string> {
  const addresses = [...platforms.urls].map(([platform, url]) => [
    `POSTWELL_${platform.toUpperCase().replaceAll("-", "_")}_BASE_URL`,
    url,
  ]);
  return {
    ...SCALED,
    ...Object.fromEntries(addresses),
    ...(stores.redisUrl === null ? { POSTWELL_QUEUE: "direct" } : { REDIS_URL: stores.redisUrl }),
    POSTWELL_SECRET_KEY: secretKey,
    POSTWELL_DATA_DIR: stores.dir,
    POSTWELL_ALLOW_PRIVATE_HOSTS: "127.0.0.1",
  };
}

function workerStart(
  environment: Readonly<Record<string, string>>,
  { databaseUrl }: DrillStores,
  number: number,
) {
  const name = `worker-${number + 1}`;
  const isLast = number === WORKERS - 1;
  return {
    name,
    script: "worker/main.js",
    readyLine: "worker started",
    env: {
      ...environment,
      DATABASE_URL: named(databaseUrl, name),
      ...(isLast ? { DRILL_CLOCK_AHEAD_MS: String(TOLERATED_MS) } : {}),
    },
    nodeOptions: isLast ? shiftedClock() : [],
  };
}

/** Options for a process whose clock is `DRILL_CLOCK_AHEAD_MS` ahead. */
export function shiftedClock(): string[] {
  const file = path.join(PROJECT_ROOT, "dist/scripts/drill/shifted-clock.js");
  return ["--import", pathToFileURL(file).href];
}
