import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, statSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { RunAs } from "./run-as.ts";

/** A server to start in the background. */
export interface ServerStart {
  /** For sentences: "PostgreSQL". */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly runAs: RunAs;
  readonly env?: Readonly<Record<string, string>>;
  /** Given on standard input, so that a password appears in no process list. */
  readonly input?: string;
  readonly logFile: string;
  readonly timeoutMs: number;
  /** Null while it is still coming up. */
  isReady(): Promise<boolean>;
}

const MAX_LOG_BYTES = 5_000_000;

/**
 * Starts a server in a session of its own, so that Ctrl-C in the launcher's terminal does not reach it, and waits
 * until it answers.
 * @returns its pid
 * @throws {Error} with the last lines of its log, when it ends or does not answer in time
 */
export async function startServer(start: ServerStart): Promise<number> {
  const log = openSync(start.logFile, isLarge(start.logFile) ? "w" : "a", 0o600);
  const logged = statSync(start.logFile).size;
  const [command = "", ...args] = [...start.runAs.prefix, start.command, ...start.args];
  const child = spawn(command, args, {
    detached: true,
    stdio: ["pipe", log, log],
    env: { PATH: process.env["PATH"], LANG: "C", ...start.env },
    ...start.runAs.user,
  });
  closeSync(log);
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(`it ended with ${signal ?? `code ${code}`}`));
  });
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(start.input ?? "");
  child.unref();

  const failure = await Promise.race([ended, readiness(start)]);
  if (failure === null && child.pid !== undefined) return child.pid;
  if (child.pid !== undefined) child.kill("SIGKILL");
  throw new Error(`${start.name} did not start: ${failure}.${tail(start.logFile, logged)}`);
}

async function readiness(start: ServerStart): Promise<string | null> {
  const deadline = Date.now() + start.timeoutMs;
  while (Date.now() < deadline) {
    if (await start.isReady()) return null;
    await delay(25);
  }
  return `it did not answer within ${start.timeoutMs / 1000} s`;
}

function tail(file: string, fromByte: number): string {
  const lines = readFileSync(file).subarray(fromByte).toString("utf8").trim().split("\n");
  return lines.length === 1 && lines[0] === "" ? "" : `\n${lines.slice(-5).join("\n")}`;
}

function isLarge(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES;
}
