import path from "node:path";
import { PROJECT_ROOT } from "../../shared/project-root.ts";
import { awaitReady } from "../launch/await-ready.ts";
import { keepProcess, type KeptProcess } from "../launch/kept-process.ts";
import { rememberChildren } from "../launch/launcher-lock.ts";

/** One api and two workers, as on three machines. */
export interface DemoProcesses {
  readonly workers: readonly KeptProcess[];
  /**
   * Kills one of the workers without a warning; another takes its place at once.
   * @returns the pid of the dead one; null where it was gone already
   */
  kill(worker: KeptProcess): number | null;
  /** Deaths that the demo had no part in, as sentences. */
  crashes(): readonly string[];
}

export interface ProcessesStart {
  readonly dir: string;
  readonly address: string;
  readonly env: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly undo: (() => unknown)[];
}

const READY_TIMEOUT_MS = 60_000;
const LEAVE_MS = 5_000;

/** Starts the compiled programs, as `npm start` does, and waits until the API is ready. */
export async function startDemoProcesses(start: ProcessesStart): Promise<DemoProcesses> {
  const { dir, env, say, undo } = start;
  const kept: KeptProcess[] = [];
  const crashes: string[] = [];
  let doomed: string | null = null;
  let breakOff: (error: Error) => void = () => undefined;
  const brokenOff = new Promise<never>((_, reject) => {
    breakOff = reject;
  });
  brokenOff.catch(() => undefined);
  const keep = (name: string, program: string): KeptProcess => {
    const one = keepProcess({
      name,
      env,
      script: path.join(PROJECT_ROOT, "dist", program, "main.js"),
      logFile: path.join(dir, "logs", `${name}.log`),
      onStart: () => rememberChildren(dir, pidsOf(kept)),
      onDeath({ how, said }) {
        if (doomed === name) doomed = null;
        else {
          const sentence = `The ${name} has ended (${how}), which was not planned.`;
          crashes.push(sentence);
          say(`  ${sentence} Another starts in its place.`);
          breakOff(new Error(said === "" ? sentence : `${sentence} It said:\n${said}`));
        }
        return 0;
      },
    });
    kept.push(one);
    rememberChildren(dir, pidsOf(kept));
    return one;
  };
  undo.push(() => Promise.all(kept.map((one) => one.stop(LEAVE_MS))));
  keep("api", "api");
  const workers = [keep("worker-1", "worker"), keep("worker-2", "worker")];
  await Promise.race([awaitReady(start.address, READY_TIMEOUT_MS, start.signal), brokenOff]);
  return {
    workers,
    crashes: () => crashes,
    kill(worker) {
      const pid = worker.pid();
      if (pid === null) return null;
      doomed = worker.name;
      process.kill(pid, "SIGKILL");
      return pid;
    },
  };
}

function pidsOf(kept: readonly KeptProcess[]): number[] {
  return kept.flatMap((one) => one.pid() ?? []);
}
