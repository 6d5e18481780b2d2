import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** One running process. `startedAt` tells it from a later one that was given the same pid. */
export interface ProcessFacts {
  readonly command: string;
  /** Opaque: compare it, do not read it. */
  readonly startedAt: string;
}

/** The process with this pid; null when it is gone, or dead and only waiting for its parent to notice. */
export function inspectProcess(pid: number): ProcessFacts | null {
  return process.platform === "linux" ? inspectProc(pid) : inspectPs(pid);
}

/**
 * Sends each signal in turn, waiting up to `waitMs` after each for the process to end.
 * `isStillIt` guards against a pid that has passed to another process.
 */
export async function stopProcess(
  pid: number,
  signals: readonly { readonly signal: NodeJS.Signals; readonly waitMs: number }[],
  isStillIt: (facts: ProcessFacts) => boolean = () => true,
): Promise<void> {
  const isRunning = () => {
    const facts = inspectProcess(pid);
    return facts !== null && isStillIt(facts);
  };
  for (const { signal, waitMs } of signals) {
    if (!isRunning()) return;
    process.kill(pid, signal);
    const deadline = Date.now() + waitMs;
    while (isRunning() && Date.now() < deadline) await delay(20);
  }
}

/** The given port of the loopback address if nobody listens there, else any free one. */
export async function usablePort(preferred: number): Promise<number> {
  return (await portIfFree(preferred)) ?? (await portIfFree(0)) ?? preferred;
}

/** The port that could be opened (0 asks for any); null when it is taken. */
function portIfFree(port: number, host = "127.0.0.1"): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(null));
    server.listen(port, host, () => {
      const address = server.address();
      const opened = typeof address === "object" && address !== null ? address.port : port;
      server.close(() => resolve(opened));
    });
  });
}

function inspectProc(pid: number): ProcessFacts | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in brackets and may hold spaces and brackets itself.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return null;
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim();
    return { command, startedAt: fields[19] ?? "" };
  } catch {
    return null;
  }
}

function inspectPs(pid: number): ProcessFacts | null {
  const columns = ["stat=", "lstart=", "command="].flatMap((column) => ["-o", column]);
  const { status, stdout } = spawnSync("ps", ["-ww", ...columns, "-p", String(pid)], {
    encoding: "utf8",
  });
  // State, then a start time of five words ("Sun Nov 22 13:46:02 2026"), then the command.
  const found = /^(\S+)\s+((?:\S+\s+){4}\S+)\s+(.*)$/s.exec((stdout ?? "").trim());
  if (status !== 0 || found === null || found[1]?.startsWith("Z")) return null;
  return { command: found[3] ?? "", startedAt: found[2] ?? "" };
}
