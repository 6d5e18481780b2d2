import { readdirSync, readFileSync } from "node:fs";
import type { Stage } from "./stage.ts";

/** Milliseconds that processors spent. Unlike time on the clock, it hardly depends on what else the machine does. */
export interface CpuTime {
  readonly workers: number;
  readonly stores: number;
  readonly platform: number;
}

/** Linux counts in hundredths of a second for every program, whatever the kernel's own pace is. */
const TICK_MS = 10;

/** What has been spent so far; null where the system does not tell in `/proc`. */
export function cpuTime(stage: Stage, workerPids: readonly number[]): CpuTime | null {
  const all = readProcesses();
  if (all === null) return null;
  const sum = (pids: readonly number[]) =>
    pids.reduce((total, pid) => total + treeTime(all, pid), 0);
  const { postgres, redis } = stage.storePids;
  return {
    workers: sum(workerPids),
    stores: sum([postgres, redis]),
    platform: sum([stage.platform.process.pid]),
  };
}

/** What was spent since. */
export function cpuSince(before: CpuTime | null, after: CpuTime | null): CpuTime | null {
  if (before === null || after === null) return null;
  return {
    workers: after.workers - before.workers,
    stores: after.stores - before.stores,
    platform: after.platform - before.platform,
  };
}

interface ProcessTime {
  readonly parent: number;
  /** Its own, and that of children that have ended. */
  readonly ms: number;
}

/** A PostgreSQL is a family: what a connection's process has used passes to the parent when it ends. */
function treeTime(all: ReadonlyMap<number, ProcessTime>, pid: number): number {
  const children = [...all.values()].filter(({ parent }) => parent === pid);
  return children.reduce((total, { ms }) => total + ms, all.get(pid)?.ms ?? 0);
}

function readProcesses(): ReadonlyMap<number, ProcessTime> | null {
  if (process.platform !== "linux") return null;
  const all = new Map<number, ProcessTime>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    const time = readProcess(name);
    if (time !== null) all.set(Number(name), time);
  }
  return all;
}

/** Null for a process that has ended meanwhile. */
function readProcess(pid: string): ProcessTime | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in brackets and may hold spaces and brackets itself.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = fields.slice(11, 15).reduce((total, field) => total + Number(field), 0);
    return { parent: Number(fields[1]), ms: ticks * TICK_MS };
  } catch {
    return null;
  }
}
