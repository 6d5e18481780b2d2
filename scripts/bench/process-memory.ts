import { readFileSync } from "node:fs";

/** The most that a process has ever had resident, in bytes. Null where the system does not tell in `/proc`. */
export function peakResidentBytes(pid: number): number | null {
  try {
    return readPeak(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return null;
  }
}

/** Reads `/proc/<pid>/status`. */
export function readPeak(status: string): number | null {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kibibytes === undefined ? null : Number(kibibytes) * 1_024;
}
