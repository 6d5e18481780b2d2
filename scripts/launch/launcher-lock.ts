import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as z from "zod";
import { inspectProcess, stopProcess } from "../stores/processes.ts";

const ProcessMark = z.object({ pid: z.int(), startedAt: z.string() });
const ProcessMarks = z.array(ProcessMark);

/** A process, told apart from later ones with the same pid. */
type ProcessMark = z.infer<typeof ProcessMark>;

// Longer than the time that a process takes to notice its launcher's death and to finish what it is doing.
const LEAVE_MS = 8_000;

/**
 * Takes the data folder for this launcher. A lock whose holder is gone, killed without a chance to tidy up, is taken
 * over.
 * @returns what gives the folder back; repeatable
 * @throws {Error} with a remedy, when another launcher works on the folder
 */
export function lockDataDir(dataDir: string): () => void {
  const file = path.join(dataDir, "launcher.lock");
  const mine = JSON.stringify(markOf(process.pid));
  const holder = readMark(file);
  if (holder !== null && isAlive(holder)) throw taken(dataDir, holder.pid);
  rmSync(file, { force: true });
  try {
    writeFileSync(file, mine, { flag: "wx" });
  } catch (error) {
    const winner = readMark(file);
    throw winner === null ? error : taken(dataDir, winner.pid);
  }
  return () => {
    if (readFileSync(file, { encoding: "utf8", flag: "a+" }) === mine)
      rmSync(file, { force: true });
  };
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

function readMark(file: string): ProcessMark | null {
  return parsed(file, ProcessMark);
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

function childrenFile(dataDir: string): string {
  return path.join(dataDir, "children.json");
}
