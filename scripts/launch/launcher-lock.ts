import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { inspectProcess, stopProcess } from "../stores/processes.ts";

const ProcessMark = z.object({ pid: z.int(), startedAt: z.string() });
const ProcessMarks = z.array(ProcessMark);

/** A process, told apart from later ones with the same pid. */
type ProcessMark = z.infer<typeof ProcessMark>;

const Holder = ProcessMark.extend({ isStopping: z.boolean() });

/** A launcher whose npm was killed notices that within this time. */
const NOTICE_MS = 1_200;
const STOP_MS = 12_000;
// Longer than the time that a process takes to notice its launcher's death and to finish what it is doing.
const LEAVE_MS = 8_000;

/**
 * Takes the data folder for this launcher. A lock whose holder is gone, killed without a chance to tidy up, is taken
 * over.
 * @returns what gives the folder back; repeatable
 * @throws {Error} with a remedy, when another launcher works on the folder
 */
export function lockDataDir(dataDir: string): () => void {
  const file = lockFile(dataDir);
  const holder = parsed(file, Holder);
  if (holder !== null && isAlive(holder)) throw taken(dataDir, holder.pid);
  rmSync(file, { force: true });
  // The lock appears whole or not at all: a half-written one would look abandoned.
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify({ ...markOf(process.pid), isStopping: false }));
  try {
    linkSync(draft, file);
  } catch (error) {
    // Somebody was quicker since the old lock went.
    const winner = parsed(file, Holder);
    throw winner === null ? error : taken(dataDir, winner.pid);
  } finally {
    rmSync(draft);
  }
  return () => {
    if (parsed(file, Holder)?.pid === process.pid) rmSync(file, { force: true });
  };
}

/** Lets a launcher that comes now wait for this one's end, instead of giving up. */
export function announceEnd(dataDir: string): void {
  const file = lockFile(dataDir);
  if (parsed(file, Holder)?.pid !== process.pid) return;
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify({ ...markOf(process.pid), isStopping: true }));
  renameSync(draft, file);
}

/** Waits while another launcher is stopping; returns at once when it is gone, and soon when it is not stopping. */
export async function awaitEnd(dataDir: string, say: (line: string) => void): Promise<void> {
  const startMs = performance.now();
  let isTold = false;
  for (;;) {
    const holder = parsed(lockFile(dataDir), Holder);
    if (holder === null || !isAlive(holder)) return;
    if (performance.now() - startMs > (holder.isStopping ? STOP_MS : NOTICE_MS)) return;
    if (holder.isStopping && !isTold) say("Waiting for the Postwell that is just stopping.");
    isTold ||= holder.isStopping;
    await delay(50);
  }
}

/** Remembers which processes the launcher started, for the next launcher. */
export function rememberChildren(dataDir: string, pids: readonly number[]): void {
  const marks = pids.map((pid) => markOf(pid));
  writeFileSync(childrenFile(dataDir), JSON.stringify(marks));
}

/** Whether processes of a launcher that is gone still run: they end by themselves, a little later. */
export function hasLeftovers(dataDir: string): boolean {
  return readChildren(dataDir).some((mark) => isAlive(mark));
}

/** Waits for those processes to end and sees to it. */
export async function endLeftovers(dataDir: string): Promise<void> {
  const signals = [
    { signal: "SIGTERM", waitMs: LEAVE_MS },
    { signal: "SIGKILL", waitMs: 1_000 },
  ] as const;
  const stops = readChildren(dataDir).map(({ pid, startedAt }) =>
    stopProcess(pid, signals, (facts) => facts.startedAt === startedAt),
  );
  await Promise.all(stops);
}

function taken(dataDir: string, pid: number): Error {
  return new Error(
    `Postwell already runs on ${dataDir} (process ${pid}). Stop that one, or give this one another folder with POSTWELL_DATA_DIR.`,
  );
}

function markOf(pid: number): ProcessMark {
  return { pid, startedAt: inspectProcess(pid)?.startedAt ?? "" };
}

function isAlive({ pid, startedAt }: ProcessMark): boolean {
  return inspectProcess(pid)?.startedAt === startedAt;
}

function readChildren(dataDir: string): readonly ProcessMark[] {
  return parsed(childrenFile(dataDir), ProcessMarks) ?? [];
}

/** Null when the file is missing, or half-written by a launcher that was killed. */
function parsed<T>(file: string, schema: z.ZodType<T>): T | null {
  try {
    return schema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return null;
  }
}

function lockFile(dataDir: string): string {
  return path.join(dataDir, "launcher.lock");
}

function childrenFile(dataDir: string): string {
  return path.join(dataDir, "children.json");
}
