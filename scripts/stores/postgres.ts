import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { findPostgresBinaries } from "./postgres-binaries.ts";
import type { PostgresBinaries } from "./postgres-binaries.ts";
import { newPassword, readSettings, writeSettings } from "./private-store.ts";
import type { PrivateStore, StoreSettings } from "./private-store.ts";
import { inspectProcess, stopProcess, usablePort } from "./processes.ts";
import { chooseRunAs, giveFiles, withName } from "./run-as.ts";
import type { RunAs } from "./run-as.ts";
import { startServer } from "./server-process.ts";
import type { ServerStart } from "./server-process.ts";

export interface PostgresOptions {
  /** Holds the cluster, its settings and its log. */
  readonly dir: string;
  /** Faster, and loses everything with the machine: for tests alone. */
  readonly isThrowAway?: boolean;
}

const USER = "postwell";
// Recovery after a crash reads the log since the last checkpoint first.
const START_TIMEOUT_MS = 60_000;
const SESSIONS_END_MS = 15_000;

/**
 * Starts a private PostgreSQL on the loopback address, creating its cluster the first time, or adopts the one that an
 * earlier launcher left running. `url` leads to the database `postgres`.
 * @throws {Error} one sentence with what is wrong, and the end of the server's log where there is one
 */
export async function startPostgres({
  dir,
  isThrowAway = false,
}: PostgresOptions): Promise<PrivateStore> {
  mkdirSync(dir, { recursive: true });
  const cluster = path.join(dir, "cluster");
  const remembered = readSettings(dir);
  if (remembered === null && existsSync(cluster)) {
    throw new Error(
      `${path.join(dir, "settings.json")} is missing, and with it the password of the database beside it. Restore it from a backup.`,
    );
  }
  const running = remembered === null ? null : await adopt(cluster, remembered);
  if (running !== null) return running;

  const binaries = findPostgresBinaries();
  const runAs = chooseRunAs(binaries.postgres, dir);
  const settings = {
    password: remembered?.password ?? newPassword(),
    port: await usablePort(remembered?.port ?? 0),
    pid: 0,
  };
  writeSettings(dir, settings);
  if (!existsSync(cluster))
    createCluster(dir, { binaries, runAs, password: settings.password, isThrowAway });
  giveFiles(cluster, runAs);
  const pid = await startOnceFree({
    name: "The private PostgreSQL",
    command: binaries.postgres,
    args: serverArgs(cluster, settings.port, isThrowAway),
    runAs,
    logFile: path.join(dir, "postgres.log"),
    timeoutMs: START_TIMEOUT_MS,
    isReady: () => canConnect(urlOf(settings)),
  });
  writeSettings(dir, { ...settings, pid });
  return { url: urlOf(settings), pid, wasRunning: false, stop: () => stopPostgres(pid) };
}

/** Creates a database on a private server unless it exists. @returns its address */
export async function ensureDatabase(serverUrl: string, name: string): Promise<string> {
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query("select from pg_database where datname = $1", [name]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** Stops the server that a folder's settings name, if it still runs: for clusters whose launcher is gone. */
export async function stopPostgresIn(dir: string): Promise<void> {
  const pid = livePostmaster(path.join(dir, "cluster"));
  if (pid !== null) await stopPostgres(pid);
}

async function adopt(cluster: string, settings: StoreSettings): Promise<PrivateStore | null> {
  const pid = livePostmaster(cluster);
  if (pid === null) return null;
  if (await canConnect(urlOf(settings))) {
    return { url: urlOf(settings), pid, wasRunning: true, stop: () => stopPostgres(pid) };
  }
  await stopPostgres(pid);
  return null;
}

/** The pid of the server that runs on this cluster; null when none does. */
function livePostmaster(cluster: string): number | null {
  const file = path.join(cluster, "postmaster.pid");
  if (!existsSync(file)) return null;
  const pid = Number(readFileSync(file, "utf8").split("\n")[0]);
  const facts = Number.isInteger(pid) && pid > 0 ? inspectProcess(pid) : null;
  if (facts?.command.includes(cluster) === true) return pid;
  // A pid that now belongs to another program would make PostgreSQL refuse to start. That of nobody must stay: by it, the
  // next server sees whether sessions of the killed one still write to the cluster.
  if (facts !== null) rmSync(file, { force: true });
  return null;
}

/** Sessions of a server that was killed notice that soon, but not at once. */
async function startOnceFree(start: ServerStart): Promise<number> {
  const deadline = Date.now() + SESSIONS_END_MS;
  for (;;) {
    try {
      return await startServer(start);
    } catch (error) {
      const isTaken = error instanceof Error && error.message.includes("shared memory block");
      if (!isTaken || Date.now() > deadline) throw error;
      await delay(100);
    }
  }
}

interface ClusterStart {
  readonly binaries: PostgresBinaries;
  readonly runAs: RunAs;
  readonly password: string;
  readonly isThrowAway: boolean;
}

/** Builds the cluster beside its place and moves it there whole: an interrupted start leaves nothing half-made. */
function createCluster(
  dir: string,
  { binaries, runAs, password, isThrowAway }: ClusterStart,
): void {
  const named = withName(runAs);
  const unfinished = path.join(dir, "cluster.new");
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  // Inside the folder that the server's account owns; removed before the cluster is used.
  const passwordFile = path.join(dir, "password.new");
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  giveFiles(unfinished, runAs);
  giveFiles(passwordFile, runAs);
  const [command = "", ...args] = [
    ...named.prefix,
    binaries.initdb,
    `--pgdata=${unfinished}`,
    `--username=${USER}`,
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    ...(isThrowAway ? ["--no-sync"] : []),
  ];
  const made = spawnSync(command, args, {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], LANG: "C" },
    ...named.user,
  });
  rmSync(passwordFile, { force: true });
  if (made.status !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    throw new Error(
      `The private PostgreSQL could not be set up in ${dir}: ${made.error?.message ?? made.stderr.trim()}`,
    );
  }
  chmodSync(unfinished, 0o700);
  renameSync(unfinished, path.join(dir, "cluster"));
}

function serverArgs(cluster: string, port: number, isThrowAway: boolean): string[] {
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: "200",
    timezone: "UTC",
    log_timezone: "UTC",
    // Values and statements hold post texts, and a log must not.
    log_error_verbosity: "terse",
    log_min_error_statement: "panic",
    log_parameter_max_length_on_error: "0",
    ...(isThrowAway ? { fsync: "off", synchronous_commit: "off", full_page_writes: "off" } : {}),
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  return ["-D", cluster, "-p", String(port), ...options];
}

/** SIGINT ends the sessions and writes a checkpoint; SIGQUIT leaves that to the next start's recovery. */
function stopPostgres(pid: number): Promise<void> {
  return stopProcess(
    pid,
    [
      { signal: "SIGINT", waitMs: 2_000 },
      { signal: "SIGQUIT", waitMs: 500 },
    ],
    ({ command }) => command.includes("postgres"),
  );
}

async function canConnect(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function urlOf({ password, port }: StoreSettings): string {
  return `postgres://${USER}:${password}@127.0.0.1:${port}/postgres`;
}
