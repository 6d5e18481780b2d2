import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PROJECT_ROOT } from "../../shared/project-root.ts";
import { awaitReady } from "../launch/await-ready.ts";
import { usablePort } from "../stores/processes.ts";
import type { Bar, Figure } from "./compare.ts";
import type { Stage } from "./stage.ts";

const READY_WITHIN_MS = 300_000;
const MODES = ["redis", "direct"] as const;

/** `npm start`, as a person runs it, until `/readyz` is green. */
export async function startRow(stage: Stage, say: (line: string) => void): Promise<Figure[]> {
  const first: Record<(typeof MODES)[number], number[]> = { redis: [], direct: [] };
  const again: typeof first = { redis: [], direct: [] };
  for (let round = 0; round < stage.options.rounds; round += 1) {
    for (const mode of MODES) {
      stage.signal.throwIfAborted();
      const dataDir = newDataDir(stage, `start-${mode}-${round}`);
      first[mode].push(await timeStart(stage, { root: PROJECT_ROOT, dataDir, mode }));
      again[mode].push(await timeStart(stage, { root: PROJECT_ROOT, dataDir, mode }));
      say(
        `  round ${round + 1}, ${mode}: first ${shown(first[mode])}, again ${shown(again[mode])}`,
      );
    }
  }
  const about = { row: "start", unit: "s" };
  const soon = barOf(5);
  const figures: Figure[] = [
    { ...about, measure: "npm start, no data yet", bar: soon, values: first },
    { ...about, measure: "npm start, again", bar: soon, values: again },
  ];
  if (!stage.options.isFresh) return figures;
  const fresh = [await timeFresh(stage)];
  say(`  from a fresh clone: ${shown(fresh)}`);
  const measure = "npm start, fresh clone";
  return [...figures, { ...about, measure, bar: barOf(90), values: { redis: fresh } }];
}

interface Start {
  /** Of the clone. */
  readonly root: string;
  readonly dataDir: string;
  readonly mode: (typeof MODES)[number];
}

/** @returns seconds */
async function timeStart(stage: Stage, { root, dataDir, mode }: Start): Promise<number> {
  const port = String(await usablePort(0));
  const began = performance.now();
  const child = spawn("npm", ["start"], {
    cwd: root,
    // In a group of its own, so that Ctrl-C reaches it through us.
    detached: true,
    stdio: "ignore",
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      PORT: port,
      POSTWELL_HOST: "127.0.0.1",
      POSTWELL_DATA_DIR: dataDir,
      POSTWELL_QUEUE: mode,
    },
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = () => endGroup(child, ended);
  stage.onClose(stop);
  try {
    const gaveUp = ended.then(() => Promise.reject(new Error(`npm start ended (${mode}).`)));
    const ready = awaitReady(`http://127.0.0.1:${port}`, READY_WITHIN_MS, stage.signal);
    await Promise.race([ready, gaveUp]);
    return (performance.now() - began) / 1_000;
  } finally {
    await stop();
  }
}

async function timeFresh(stage: Stage): Promise<number> {
  // Outside of this clone, whose packages would be found from within.
  const root = mkdtempSync(path.join(tmpdir(), "postwell-fresh-"));
  const began = performance.now();
  try {
    const { status } = spawnSync("git", ["clone", "--quiet", PROJECT_ROOT, root]);
    if (status !== 0) throw new Error("The clone failed.");
    const clonedS = (performance.now() - began) / 1_000;
    const dataDir = newDataDir(stage, "start-fresh");
    return clonedS + (await timeStart(stage, { root, dataDir, mode: "redis" }));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** With what the machine has fetched before, as after `npm start` on the day before. */
function newDataDir({ dir }: Stage, name: string): string {
  const dataDir = path.join(dir, name);
  mkdirSync(dataDir);
  const cache = path.join(path.dirname(dir), "cache");
  if (existsSync(cache)) symlinkSync(cache, path.join(dataDir, "cache"));
  return dataDir;
}

/** The launcher stops what it has started, and then itself. Repeatable. */
async function endGroup(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  process.kill(-child.pid, "SIGTERM");
  await ended;
}

function barOf(seconds: number): Bar {
  return { text: `within ${seconds} s`, of: "value", isMet: (took) => took <= seconds };
}

function shown(seconds: readonly number[]): string {
  return `${(seconds.at(-1) ?? Number.NaN).toFixed(1)} s`;
}
