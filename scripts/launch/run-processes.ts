import path from "node:path";
import { PROJECT_ROOT } from "../../shared/project-root.ts";
import { backOff } from "./back-off.ts";
import { keepProcess } from "./kept-process.ts";
import type { KeptProcess } from "./kept-process.ts";
import { rememberChildren } from "./launcher-lock.ts";

/** The api and the worker. */
export interface RunningProcesses {
  /** Rejects when one of them ends before `settle`: then something is wrong that trying again does not mend. */
  readonly brokenOff: Promise<never>;
  /** From now on, one that ends is started again. */
  settle(): void;
  restart(): void;
  stop(): Promise<void>;
}

export interface ProcessesStart {
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  /** Null shows what they write in the terminal. */
  readonly logDir: string | null;
  readonly say: (line: string) => void;
}

const NAMES = ["api", "worker"];
// Ctrl-C takes ten seconds at most: this, and what the stores need.
const LEAVE_MS = 5_500;

/** Starts both processes and keeps them running. */
export function runProcesses({ dataDir, env, logDir, say }: ProcessesStart): RunningProcesses {
  const kept: KeptProcess[] = [];
  // Written at every birth: the next launcher must find whoever outlives this one.
  const remember = () =>
    rememberChildren(
      dataDir,
      kept.flatMap((one) => one.pid() ?? []),
    );
  let isSettled = false;
  let breakOff: (error: Error) => void = () => undefined;
  const brokenOff = new Promise<never>((_, reject) => {
    breakOff = reject;
  });
  brokenOff.catch(() => undefined);

  for (const name of NAMES) {
    const waits = backOff();
    const one = keepProcess({
      name,
      env,
      script: path.join(PROJECT_ROOT, "dist", name, "main.js"),
      logFile: logDir === null ? null : path.join(logDir, `${name}.log`),
      onStart: () => {
        waits.started();
        remember();
      },
      onDeath: ({ how, said }) => {
        if (!isSettled) {
          breakOff(new Error(said === "" ? `The ${name} ended at once (${how}).` : said));
          return null;
        }
        const waitMs = waits.nextMs();
        say(`The ${name} ended (${how}); starting it again in ${waitMs / 1000} s.${quoted(said)}`);
        return waitMs;
      },
    });
    kept.push(one);
  }
  remember();

  return {
    brokenOff,
    settle: () => {
      isSettled = true;
    },
    restart: () => kept.forEach((one) => one.restart()),
    stop: async () => {
      await Promise.all(kept.map((one) => one.stop(LEAVE_MS)));
      rememberChildren(dataDir, []);
    },
  };
}

function quoted(said: string): string {
  return said === "" ? "" : `\n  ${said.replaceAll("\n", "\n  ")}`;
}
