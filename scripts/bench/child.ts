import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import path from "node:path";
import type * as z from "zod";
import { PROJECT_ROOT } from "../../shared/project-root.ts";
import { Answer } from "./questions.ts";

/** A process that the bench has started. */
export interface Child {
  readonly pid: number;
  /** For processes that answer: see `answerBench`. */
  ask<T>(question: string, answer: z.ZodType<T>, argument?: unknown): Promise<T>;
  /** Resolves when it has logged such a line. */
  logged(pattern: RegExp): Promise<void>;
  /** How many lines like this it has logged so far. */
  countLogged(pattern: RegExp): number;
  /** @throws {Error} with its last words, when it has ended by itself */
  requireAlive(): void;
  /** SIGTERM, and SIGKILL when that takes too long. Repeatable. */
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

export interface ChildStart {
  readonly name: string;
  /** Below `dist`. */
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  /** For Node itself: a profile, for example. */
  readonly nodeOptions?: readonly string[];
}

const STOP_WITHIN_MS = 20_000;
const LAST_LINES = 20;

/** Starts one of the project's compiled scripts. In a group of its own, so that Ctrl-C reaches it through us, in order. */
export function startChild({ name, script, env, nodeOptions = [] }: ChildStart): Child {
  const file = path.join(PROJECT_ROOT, "dist", script);
  const child = spawn(process.execPath, [...nodeOptions, file], {
    env: { PATH: process.env["PATH"], ...env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const output = followOutput(child);
  const answers = followAnswers(child);
  const lastWords = () => `The ${name} ended unasked.\n${output.lastLines()}`;
  child.once("exit", () => {
    output.end(lastWords);
    answers.end(lastWords);
  });
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  return {
    pid: child.pid ?? 0,
    ask: async (question, shape, argument) => shape.parse(await answers.ask(question, argument)),
    logged: (pattern) => output.logged(pattern),
    countLogged: (pattern) => output.count(pattern),
    requireAlive() {
      if (hasEnded()) throw new Error(lastWords());
    },
    kill: (signal) => void child.kill(signal),
    async stop() {
      if (hasEnded()) return;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

function followOutput(child: ChildProcess): {
  logged(pattern: RegExp): Promise<void>;
  count(pattern: RegExp): number;
  lastLines(): string;
  end(reason: () => string): void;
} {
  const lines: string[] = [];
  const waiting = new Map<RegExp, Waiting>();
  const seen = (line: string) => {
    lines.push(line);
    for (const [pattern, { resolve }] of waiting) if (pattern.test(line)) resolve(null);
  };
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on("line", seen);
  }
  return {
    async logged(pattern) {
      if (lines.some((line) => pattern.test(line))) return;
      await new Promise((resolve, reject) => waiting.set(pattern, { resolve, reject }));
      waiting.delete(pattern);
    },
    count: (pattern) => lines.filter((line) => pattern.test(line)).length,
    lastLines: () => lines.slice(-LAST_LINES).join("\n"),
    end: (reason) => waiting.forEach(({ reject }) => reject(new Error(reason()))),
  };
}

function followAnswers(child: ChildProcess): {
  ask(question: string, argument: unknown): Promise<unknown>;
  end(reason: () => string): void;
} {
  const waiting = new Map<number, Waiting>();
  let count = 0;
  // The process says 0 by itself when it is ready, so that no question comes before it can be heard.
  const ready = new Promise((resolve, reject) => waiting.set(0, { resolve, reject }));
  ready.catch(() => undefined);
  child.on("message", (message) => {
    const { id, answer } = Answer.parse(message);
    waiting.get(id)?.resolve(answer);
    waiting.delete(id);
  });
  return {
    async ask(question, argument) {
      await ready;
      count += 1;
      const id = count;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        child.send({ id, ask: question, argument: argument ?? null });
      });
    },
    end: (reason) => waiting.forEach(({ reject }) => reject(new Error(reason()))),
  };
}
