import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import path from "node:path";
import type * as z from "zod";
import { PROJECT_ROOT } from "../../shared/project-root.ts";

/** A process that the drill has started, and may treat badly. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Resolves with how it ended; never rejects. */
  readonly ended: Promise<string>;
  hasEnded(): boolean;
  kill(signal: NodeJS.Signals): void;
  /** For the drill's own processes: see `answerDrill`. @throws {Error} when the process is gone */
  ask<T>(question: string, answer: z.ZodType<T>, argument?: unknown): Promise<T>;
}

export interface ChildStart {
  readonly name: string;
  /** Below `dist`. */
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  readonly nodeOptions?: readonly string[];
  /** All that it writes is added here. */
  readonly logFile: string;
}

/**
 * Starts one of the project's compiled scripts, in a group of its own so that Ctrl-C reaches it through us alone. It has a
 * channel to us and ends by itself when we are gone.
 */
export function startChild({ name, script, env, nodeOptions = [], logFile }: ChildStart): Child {
  const file = path.join(PROJECT_ROOT, "dist", script);
  const log = openSync(logFile, "a", 0o600);
  const child = spawn(process.execPath, ["--enable-source-maps", ...nodeOptions, file], {
    env: { PATH: process.env["PATH"], NODE_ENV: "production", ...env },
    detached: true,
    stdio: ["ignore", log, log, "ipc"],
  });
  closeSync(log);
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ?? `code ${code}`));
  });
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const questions = followQuestions(child);
  return {
    name,
    pid: child.pid ?? 0,
    ended,
    hasEnded,
    kill: (signal) => void (hasEnded() || child.kill(signal)),
    ask: async (question, shape, argument) => shape.parse(await questions(question, argument)),
  };
}

/**
 * Stops a process for a while. Another process does it, so that it goes on even if we are killed in between: a worker that
 * stays frozen would never see that we are gone.
 */
export function freeze(pid: number, forMs: number): Promise<void> {
  const command = `kill -STOP ${pid} && sleep ${(forMs / 1_000).toFixed(3)}; kill -CONT ${pid}`;
  const freezer = spawn("/bin/sh", ["-c", command], { detached: true, stdio: "ignore" });
  return new Promise((resolve) => {
    freezer.once("error", () => resolve());
    freezer.once("exit", () => resolve());
  });
}

/** SIGTERM, and SIGKILL when that takes too long; a frozen process is woken first. @returns how long it took */
export async function stopChild(child: Child, withinMs: number): Promise<number> {
  const since = performance.now();
  child.kill("SIGCONT");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), withinMs);
  await child.ended;
  clearTimeout(timer);
  return performance.now() - since;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

function followQuestions(
  child: ChildProcess,
): (question: string, argument: unknown) => Promise<unknown> {
  const waiting = new Map<number, Waiting>();
  let count = 0;
  child.on("message", (message: { id: number; answer: unknown }) => {
    waiting.get(message.id)?.resolve(message.answer);
    waiting.delete(message.id);
  });
  child.once("exit", () => {
    for (const { reject } of waiting.values()) reject(new Error("The process is gone."));
  });
  return (question, argument) =>
    new Promise((resolve, reject) => {
      count += 1;
      waiting.set(count, { resolve, reject });
      child.send({ id: count, question, argument: argument ?? null }, (error) => {
        if (error) reject(error);
      });
    });
}

type Respond = (argument: unknown) => unknown;

/** Answers the drill for as long as it lives: whatever way it ends, so do we. */
export function answerDrill(answers: Readonly<Record<string, Respond>>): void {
  process.on("message", (message: { id: number; question: string; argument: unknown }) => {
    void Promise.resolve(answers[message.question]?.(message.argument)).then((answer) => {
      process.send?.({ id: message.id, answer: answer ?? null });
    });
  });
  process.on("disconnect", () => process.exit());
}
