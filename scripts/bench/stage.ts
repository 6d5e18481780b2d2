import { mkdirSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import * as z from "zod";
import { PROJECT_ROOT } from "../../shared/project-root.ts";
import { startPostgres, stopPostgresIn } from "../stores/postgres.ts";
import { inspectProcess } from "../stores/processes.ts";
import { startRedis, stopRedisIn } from "../stores/redis.ts";
import { startChild, type Child } from "./child.ts";
import type { BenchOptions } from "./options.ts";
import { createTemplate, signIn, type Session, type Template } from "./template.ts";

/** What all engines of one bench share. */
export interface Stage {
  readonly options: BenchOptions;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly storePids: { readonly postgres: number; readonly redis: number };
  readonly platform: Platform;
  /** A database with the channels, to be copied. */
  readonly template: Template;
  readonly dir: string;
  readonly signal: AbortSignal;
  /** Has something done at the end, latest first. It may have been done already. */
  onClose(undo: () => unknown): void;
}

export interface Platform {
  readonly url: string;
  readonly process: Child;
  /** One account a channel. */
  readonly sessions: readonly Session[];
}

const PREFIX = "bench-";

/** Starts stores that write to disk as in production, and the platform. Everything is gone after `close`, which the signal brings about, too. */
export async function openStage(
  options: BenchOptions,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<{ stage: Stage; close: () => Promise<void> }> {
  const dataDir = path.resolve(PROJECT_ROOT, process.env["POSTWELL_DATA_DIR"] || "data");
  await removeOrphans(dataDir);
  const dir = path.join(dataDir, `${PREFIX}${process.pid}`);
  mkdirSync(dir, { recursive: true });
  const undo: (() => unknown)[] = [() => removeStores(dir)];
  let closing: Promise<void> | null = null;
  const close = () => (closing ??= inReverse(undo));
  // Whatever is being waited for ends with the process that it is expected from.
  signal.addEventListener("abort", () => void close());
  try {
    const postgres = await startPostgres({ dir: path.join(dir, "postgres") });
    const cacheDir = path.join(dataDir, "cache");
    const redis = await startRedis({ dir: path.join(dir, "redis"), cacheDir, say, signal });
    if (redis === null) throw new Error("The bench needs a Redis to compare with: install one.");
    const platformProcess = startChild({
      name: "platform",
      script: "scripts/bench/platform-process.js",
      env: { LATENCY_MS: String(options.latencyMs) },
    });
    undo.push(() => platformProcess.stop());
    const url = await platformProcess.ask("url", z.url());
    const sessions = await signIn(url, options.channels);
    const template = await createTemplate(postgres.url, sessions);
    const stage: Stage = {
      options,
      databaseUrl: postgres.url,
      redisUrl: redis.url,
      storePids: { postgres: postgres.pid, redis: redis.pid },
      platform: { url, process: platformProcess, sessions },
      template,
      dir,
      signal,
      onClose: (step) => void undo.push(step),
    };
    return { stage, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** One of Redis's logical databases, so that the engines do not see each other. */
export function redisDatabase({ redisUrl }: Stage, index: number): string {
  const url = new URL(redisUrl);
  url.pathname = `/${index}`;
  return url.href;
}

async function inReverse(undo: readonly (() => unknown)[]): Promise<void> {
  for (const step of undo.toReversed()) await step();
}

async function removeStores(dir: string): Promise<void> {
  await Promise.all([
    stopPostgresIn(path.join(dir, "postgres")),
    stopRedisIn(path.join(dir, "redis")),
  ]);
  rmSync(dir, { recursive: true, force: true });
}

/** What an earlier bench left behind because it was killed. */
async function removeOrphans(dataDir: string): Promise<void> {
  mkdirSync(dataDir, { recursive: true });
  for (const name of readdirSync(dataDir).filter((entry) => entry.startsWith(PREFIX))) {
    const isAlive = inspectProcess(Number(name.slice(PREFIX.length))) !== null;
    if (!isAlive) await removeStores(path.join(dataDir, name));
  }
}
