import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { Redis } from "ioredis";
import { newPassword, readSettings, writeSettings } from "./private-store.ts";
import type { PrivateStore, StoreSettings } from "./private-store.ts";
import { inspectProcess, stopProcess, usablePort } from "./processes.ts";
import { findRedisProgram } from "./redis-program.ts";
import type { RedisProgram } from "./redis-program.ts";
import { chooseRunAs, giveFiles } from "./run-as.ts";
import { startServer } from "./server-process.ts";

export interface RedisOptions {
  /** Holds its settings, its log and what it keeps. */
  readonly dir: string;
  /** For the program, where the machine has none. May be shared by many instances. */
  readonly cacheDir: string;
  /** Keeps nothing on disk: for tests alone. */
  readonly isThrowAway?: boolean;
  /** Ends a download that is under way. */
  readonly signal?: AbortSignal;
  /** Told what takes long or goes wrong. */
  readonly say: (line: string) => void;
}

export interface PrivateRedis extends PrivateStore {
  /** For people: which program runs. */
  readonly origin: string;
}

const START_TIMEOUT_MS = 15_000;

/**
 * Starts a private Redis or Valkey on the loopback address, or adopts the one that an earlier launcher left running.
 * Null where no program can be had.
 * @throws {Error} when there is a program and it does not start
 */
export async function startRedis(options: RedisOptions): Promise<PrivateRedis | null> {
  const { dir, cacheDir } = options;
  mkdirSync(dir, { recursive: true });
  const remembered = readSettings(dir);
  const running = remembered === null ? null : await adopt(dir, remembered);
  if (running !== null) return running;

  mkdirSync(cacheDir, { recursive: true });
  const program = await findRedisProgram(options);
  if (program === null) return null;
  const settings = {
    password: remembered?.password ?? newPassword(),
    port: await usablePort(remembered?.port ?? 0),
    pid: 0,
  };
  writeSettings(dir, settings);
  const pid = await startOrStartAfresh(program, settings, options);
  writeSettings(dir, { ...settings, pid });
  const { origin } = program;
  return { url: urlOf(settings), pid, origin, wasRunning: false, stop: () => stopRedis(dir, pid) };
}

/** Stops the server that a folder's settings name, if it still runs: for instances whose launcher is gone. */
export async function stopRedisIn(dir: string): Promise<void> {
  const settings = readSettings(dir);
  if (settings !== null && settings.pid !== 0) await stopRedis(dir, settings.pid);
}

/** The queue holds nothing that PostgreSQL does not know: files that a crash has spoilt may go. */
async function startOrStartAfresh(
  program: RedisProgram,
  settings: StoreSettings,
  options: RedisOptions,
): Promise<number> {
  try {
    return await start(program, settings, options);
  } catch (error) {
    const kept = keptFolder(options.dir);
    rmSync(kept, { recursive: true, force: true });
    options.say(
      "The private Redis did not start with what it had kept; starting it empty. Nothing is lost.",
    );
    return start(program, settings, options).catch(() => {
      throw error;
    });
  }
}

async function start(
  program: RedisProgram,
  settings: StoreSettings,
  { dir, isThrowAway = false }: RedisOptions,
): Promise<number> {
  const kept = keptFolder(dir);
  mkdirSync(kept, { recursive: true, mode: 0o700 });
  const runAs = chooseRunAs(program.command, dir);
  giveFiles(kept, runAs);
  return startServer({
    name: "The private Redis",
    command: program.command,
    // "-": the configuration comes on standard input.
    args: ["-", "--dir", kept],
    env: program.env,
    input: configuration(settings, isThrowAway),
    runAs,
    logFile: path.join(dir, "redis.log"),
    timeoutMs: START_TIMEOUT_MS,
    isReady: () => canConnect(urlOf(settings)),
  });
}

function configuration({ password, port }: StoreSettings, isThrowAway: boolean): string {
  return [
    "bind 127.0.0.1",
    `port ${port}`,
    `requirepass ${password}`,
    "daemonize no",
    // Keeps the command line as given, by which we know our own process again.
    "set-proc-title no",
    'save ""',
    `appendonly ${isThrowAway ? "no" : "yes"}`,
    "appendfsync everysec",
    // BullMQ loses jobs where Redis may evict keys.
    "maxmemory-policy noeviction",
    // How often a second Redis looks whether a worker has waited long enough: at its usual 10, posts begin 50 ms later.
    "hz 100",
    "",
  ].join("\n");
}

async function adopt(dir: string, settings: StoreSettings): Promise<PrivateRedis | null> {
  const { pid } = settings;
  if (!isOurs(dir, pid)) return null;
  if (await canConnect(urlOf(settings))) {
    const origin = "left running by an earlier start";
    return { url: urlOf(settings), pid, origin, wasRunning: true, stop: () => stopRedis(dir, pid) };
  }
  await stopRedis(dir, pid);
  return null;
}

function isOurs(dir: string, pid: number): boolean {
  return pid > 0 && (inspectProcess(pid)?.command ?? "").includes(keptFolder(dir));
}

function keptFolder(dir: string): string {
  return path.join(dir, "kept");
}

/** SIGTERM writes what is pending. */
function stopRedis(dir: string, pid: number): Promise<void> {
  return stopProcess(
    pid,
    [
      { signal: "SIGTERM", waitMs: 1_000 },
      { signal: "SIGKILL", waitMs: 500 },
    ],
    () => isOurs(dir, pid),
  );
}

async function canConnect(url: string): Promise<boolean> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 2000,
    commandTimeout: 2000,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    // A refused connection would keep the process alive for that long.
    disconnectTimeout: 50,
  });
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    return (await redis.ping()) === "PONG";
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}

function urlOf({ password, port }: StoreSettings): string {
  return `redis://:${password}@127.0.0.1:${port}/0`;
}
