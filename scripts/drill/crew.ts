import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freeze, startChild, stopChild, type Child } from "./child.ts";

/** A process that is started again whenever it ends, as a service manager does. */
export interface Member {
  readonly name: string;
  readonly logFile: string;
  /** Until its first life is ready. @throws {Error} with its last words, when that takes too long */
  untilReady(signal: AbortSignal): Promise<void>;
  pid(): number;
  /** SIGKILL; the next life begins after a while. */
  kill(backAfterMs: number): Promise<void>;
  freeze(forMs: number): Promise<void>;
  /** SIGTERM, and the next life. @returns how long it took to stop */
  askToStop(backAfterMs: number): Promise<number>;
  /** For good. */
  close(): Promise<void>;
}

export interface MemberStart {
  readonly name: string;
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  readonly nodeOptions?: readonly string[];
  readonly logDir: string;
  /** What it logs when it is ready: from then on it must not end by itself. */
  readonly readyLine: string;
  /** Told of a life that ended although nobody wanted it to. */
  readonly onCrash: (what: string) => void;
}

/** The longest that a process may take to stop when asked. */
export const STOP_WITHIN_MS = 30_000;
const RESTART_PAUSE_MS = 500;
const READY_WITHIN_MS = 40_000;
const LOOK_EVERY_MS = 50;

export function startMember(start: MemberStart): Member {
  const logFile = path.join(start.logDir, `${start.name}.log`);
  let isWanted = true;
  let isOurDoing = false;
  let backAfterMs = RESTART_PAUSE_MS;
  let child: Child = live();

  function live(): Child {
    const born = startChild({ ...start, logFile });
    const from = statSync(logFile).size;
    isOurDoing = false;
    backAfterMs = RESTART_PAUSE_MS;
    void born.ended.then(async (how) => {
      const said = readFileSync(logFile).subarray(from).toString("utf8");
      // One that cannot start (no database yet) may end: whoever keeps it starts it again.
      if (isWanted && !isOurDoing && said.includes(start.readyLine)) {
        start.onCrash(`${start.name} ended by itself (${how}): ${lastLines(said)}`);
      }
      await delay(backAfterMs);
      if (isWanted) child = live();
    });
    return born;
  }

  return {
    name: start.name,
    logFile,
    async untilReady(signal) {
      const end = performance.now() + READY_WITHIN_MS;
      for (;;) {
        const said = readFileSync(logFile, "utf8");
        if (said.includes(start.readyLine)) return;
        signal.throwIfAborted();
        if (performance.now() > end) throw new Error(`${start.name}: ${lastLines(said)}`);
        await delay(LOOK_EVERY_MS);
      }
    },
    pid: () => child.pid,
    async kill(afterMs) {
      isOurDoing = true;
      backAfterMs = afterMs;
      child.kill("SIGKILL");
      await child.ended;
    },
    freeze: (forMs) => freeze(child.pid, forMs),
    async askToStop(afterMs) {
      isOurDoing = true;
      backAfterMs = afterMs;
      return stopChild(child, STOP_WITHIN_MS + 2_000);
    },
    async close() {
      isWanted = false;
      isOurDoing = true;
      await stopChild(child, STOP_WITHIN_MS);
    },
  };
}

function lastLines(said: string): string {
  return said.trim().split("\n").slice(-3).join(" | ").slice(0, 1_500);
}
