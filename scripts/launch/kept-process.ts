import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, statSync, truncateSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** One of our two processes, started again whenever it ends by itself. */
export interface KeptProcess {
  readonly name: string;
  /** Null between two lives. */
  pid(): number | null;
  /** Ends this life; the next begins at once. For development. */
  restart(): void;
  /** Ends it for good: SIGTERM, and after `waitMs` SIGKILL. */
  stop(waitMs: number): Promise<void>;
}

export interface KeptProcessStart {
  readonly name: string;
  readonly script: string;
  readonly env: NodeJS.ProcessEnv;
  /** Takes what the process writes; null shows it in the terminal. */
  readonly logFile: string | null;
  /** A life has begun. */
  onStart(): void;
  /** A life ended unasked. `said` is the last that the process wrote; null leaves it dead, a number waits so long. */
  onDeath(death: { readonly how: string; readonly said: string }): number | null;
}

const MAX_LOG_BYTES = 20_000_000;

/**
 * Keeps a process alive. It is told apart from the terminal's group, so that Ctrl-C reaches it only through us, and it
 * holds an IPC channel to us: when that closes, we are gone and it must end.
 */
export function keepProcess(start: KeptProcessStart): KeptProcess {
  let isWanted = true;
  let isRestart = false;
  let child: ChildProcess | null = null;

  const live = (): void => {
    const log = start.logFile === null ? null : openLog(start.logFile);
    const life = spawn(process.execPath, ["--enable-source-maps", start.script], {
      env: start.env,
      detached: true,
      stdio: ["ignore", log?.fd ?? "inherit", log?.fd ?? "inherit", "ipc"],
    });
    if (log !== null) closeSync(log.fd);
    child = life;
    life.once("exit", (code, signal) => {
      child = null;
      if (!isWanted) return;
      const how = signal === null ? `code ${code}` : signal;
      const said = start.logFile === null ? "" : lastWords(start.logFile, log?.bytes ?? 0);
      const waitMs = isRestart ? 0 : start.onDeath({ how, said });
      isRestart = false;
      if (waitMs !== null) void delay(waitMs).then(() => (isWanted ? live() : undefined));
    });
    start.onStart();
  };
  live();

  return {
    name: start.name,
    pid: () => child?.pid ?? null,
    restart: () => {
      isRestart = child !== null;
      child?.kill("SIGTERM");
    },
    stop: (waitMs) => {
      isWanted = false;
      return endChild(child, waitMs);
    },
  };
}

async function endChild(child: ChildProcess | null, waitMs: number): Promise<void> {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), waitMs);
  await ended;
  clearTimeout(timer);
}

function openLog(file: string): { readonly fd: number; readonly bytes: number } {
  mkdirSync(path.dirname(file), { recursive: true });
  const fd = openSync(file, "a", 0o600);
  // Appending goes on at the new end: the process that writes does not notice.
  if (statSync(file).size > MAX_LOG_BYTES) truncateSync(file, 0);
  return { fd, bytes: statSync(file).size };
}

/** The last lines of a life, plain ones in full and of structured ones the message. */
function lastWords(file: string, fromByte: number): string {
  const lines = readFileSync(file).subarray(fromByte).toString("utf8").trim().split("\n");
  return lines.slice(-5).map(plain).join("\n");
}

function plain(line: string): string {
  const message = /"msg":("(?:[^"\\]|\\.)*")/.exec(line)?.[1];
  return message === undefined ? line : String(JSON.parse(message));
}
