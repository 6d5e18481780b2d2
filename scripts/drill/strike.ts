import { setTimeout as delay } from "node:timers/promises";
import { needsWork, WORKERS, type PlannedFault } from "./faults.ts";
import { followWork } from "./follow-work.ts";
import { until, type Scene } from "./scene.ts";
import { lateByMs, memberOf, platformOf, STRIKES, timesOf, type Strikes } from "./strikes.ts";

/** One worker is left alone, so that there is something to strike. */
const MOST_DOWN = WORKERS - 1;
const LOOK_EVERY_MS = 200;

/** Lets every planned fault strike at its time, or later while that is needed. Resolves when all of them are over. */
export async function strikeAll(
  scene: Scene,
  faults: readonly PlannedFault[],
  strikes: Strikes,
): Promise<void> {
  const over = new AbortController();
  const work = followWork(scene, over.signal);
  const workers = createPlaces(MOST_DOWN, scene.stage.signal);
  const lanes = new Map<string, Promise<void>>();
  for (const fault of faults) {
    const before = lanes.get(fault.lane) ?? Promise.resolve();
    const inTurn = before.then(async () => {
      await until(scene, fault.atMs);
      if (needsWork(fault)) await work.isGoingOn();
      const strikeNow = () => strike(scene, fault, strikes);
      await (fault.lane.startsWith("worker") ? workers.take(strikeNow) : strikeNow());
    });
    lanes.set(fault.lane, inTurn);
  }
  await Promise.all(lanes.values());
  over.abort();
}

/** So many at the same time; the others wait. */
function createPlaces(
  count: number,
  signal: AbortSignal,
): { take(work: () => Promise<void>): Promise<void> } {
  const taken = new Set<() => Promise<void>>();
  return {
    async take(work) {
      while (taken.size >= count && !signal.aborted) await delay(LOOK_EVERY_MS);
      taken.add(work);
      await work();
      taken.delete(work);
    },
  };
}

async function strike(scene: Scene, fault: PlannedFault, strikes: Strikes): Promise<void> {
  const { stage, base } = scene;
  if (stage.signal.aborted) return;
  stage.say(`${secondsSince(base)} s  ${fault.kind}${detailOf(scene, fault)}`);
  const missed = await STRIKES[fault.kind](scene, fault, strikes).catch(String);
  if (missed === null) strikes.counts.set(fault.kind, (strikes.counts.get(fault.kind) ?? 0) + 1);
  else stage.say(`${secondsSince(base)} s    ${fault.kind} did not strike: ${missed}`);
}

function detailOf(scene: Scene, fault: PlannedFault): string {
  const lasts = fault.forMs > 0 ? ` for ${(fault.forMs / 1_000).toFixed(1)} s` : "";
  if (fault.platformFault) {
    return `: ${platformOf(scene, fault)} ${fault.platformFault}, ${timesOf(fault)} times`;
  }
  if (fault.kind === "platform answers late") {
    return `: ${platformOf(scene, fault)} by ${lateByMs(fault) / 1_000} s,${lasts}`;
  }
  const isWorker =
    /^(worker|promoter)/.test(fault.kind) && fault.kind !== "worker with a wrong clock";
  return isWorker ? `: ${memberOf(scene, fault.which).name}${lasts}` : lasts;
}

function secondsSince(base: Date): string {
  return ((Date.now() - base.getTime()) / 1_000).toFixed(1).padStart(6);
}
