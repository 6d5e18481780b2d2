import { once, setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { loadConnectors } from "../../shared/connectors/registry.ts";
import { assembleCast } from "./cast.ts";
import { planFaults } from "./faults.ts";
import { judge } from "./judge.ts";
import { wrong, type Wrong } from "./wrong.ts";
import { scanFiles, scanRedisAt } from "./leaks.ts";
import { countStates, countUnsettled, readLedger, readStuck } from "./ledger.ts";
import { operate } from "./operate.ts";
import type { Scene } from "./scene.ts";
import type { DrillOptions } from "./options.ts";
import { createPersonWork, playPerson, type PersonWork } from "./person.ts";
import { MEAN_PARTS, planDrill } from "./plan.ts";
import { buildGate } from "./promoter-gate.ts";
import { closingTable, type DrillResult } from "./report.ts";
import { storeScript } from "./script.ts";
import { openStage, type Stage } from "./stage.ts";
import { tellStory } from "./story.ts";
import { strikeAll } from "./strike.ts";
import type { Strikes } from "./strikes.ts";

/** How a drill went. */
export interface Verdict {
  readonly wrongs: readonly Wrong[];
  /** For people: the table, and the stories of what went wrong. */
  readonly report: string;
}

const MAX_STORIES = 5;

/**
 * Runs a drill from the start of its processes to their end. Whatever happens, nothing of it is left running.
 * @throws {Error} where the drill itself could not be held
 */
export async function runDrill(
  options: DrillOptions,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<Verdict> {
  // Thousands of things wait for their time, and all of them are told when the drill is stopped.
  setMaxListeners(0, signal);
  say(`starting: ${options.deliveries} deliveries, ${options.queue}, seed ${options.seed}`);
  const { stage, close } = await openStage(options, signal, say);
  try {
    return await hold(stage);
  } finally {
    await close();
  }
}

async function hold(stage: Stage): Promise<Verdict> {
  const { options, signal } = stage;
  const scene = await setScene(stage);
  const strikes: Strikes = { counts: new Map(), complaints: [] };
  const person = createPersonWork();
  const over = new AbortController();
  const beside = Promise.all([
    playPerson(scene, person, over.signal),
    showProgress(scene, over.signal),
    watchQueue(scene, strikes, over.signal),
  ]);
  const course = Promise.all([operate(scene), strikeAll(scene, planFaults(options), strikes)]);
  await orStopped(course, signal);
  const settledMs = await untilSettled(scene, person);
  over.abort();
  await orStopped(beside, signal);
  signal.throwIfAborted();
  return conclude(scene, { strikes, person, settledMs });
}

/** A drill that is stopped waits for nothing, and does not want to know what failed because of that. */
async function orStopped(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const stopped = once(signal, "abort");
  await Promise.race([work, stopped]);
  if (signal.aborted) work.catch(() => undefined);
}

/** Per delivery, on a busy machine. */
const STORING_MS = 1.5;

async function setScene(stage: Stage): Promise<Scene> {
  const { options, database } = stage;
  const plan = planDrill(options, await channelLimits(stage));
  stage.secrets.push(plan.marker);
  const cast = await assembleCast(stage);
  if (options.queue === "redis") await buildGate(database);
  const base = new Date(Date.now() + 2_000 + STORING_MS * options.deliveries);
  const lines = await storeScript(database, cast, plan, base);
  const leftMs = base.getTime() - Date.now();
  if (leftMs < 0) throw new Error(`Storing the plan took ${-leftMs} ms longer than expected.`);
  stage.say(`stored the plan; the first is due in ${(leftMs / 1_000).toFixed(1)} s`);
  const byNumber = new Map(lines.map((line) => [line.number, line]));
  return { stage, cast, plan, base, lines: byNumber, stops: [] };
}

/** Of what a platform allows; the rest is for what has to be sent again. */
const USED_SHARE = 0.75;

/** How many deliveries each channel can take while the drill lasts. */
async function channelLimits({ platforms, options }: Stage): Promise<number[]> {
  const connectors = await loadConnectors();
  const ofPlatform = [...platforms.urls.keys()].map((platform) => {
    const budgets = connectors.get(platform)?.capabilities.budgets ?? [];
    const own = budgets.filter(({ scope }) => scope === "channel").map(({ limit }) => limit);
    // A thread's parts count one by one.
    return Math.floor((Math.min(Infinity, ...own) * USED_SHARE) / MEAN_PARTS);
  });
  return Array.from({ length: options.channels }, (_, channel) => {
    return ofPlatform[channel % ofPlatform.length] ?? 0;
  });
}

/** Once all is settled, this much longer: a late second post would come now. */
const QUIET_MS = 4_000;
const LOOK_EVERY_MS = 500;

/** @returns how long it took from the start; null where it was not in time */
async function untilSettled(
  { stage, base }: Scene,
  { givenUp }: PersonWork,
): Promise<number | null> {
  const { database, options, signal } = stage;
  const end = base.getTime() + (options.seconds + options.settleSeconds) * 1_000;
  while (Date.now() < end && !signal.aborted) {
    const left = await countUnsettled(database, givenUp).catch(() => 1);
    if (left === 0) {
      const settledMs = Date.now() - base.getTime();
      await delay(QUIET_MS, undefined, { signal }).catch(() => undefined);
      return settledMs;
    }
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
  return null;
}

async function showProgress({ stage, base }: Scene, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await delay(3_000, undefined, { signal }).catch(() => undefined);
    const states = await countStates(stage.database).catch(() => new Map([["no database", 1]]));
    const seconds = ((Date.now() - base.getTime()) / 1_000).toFixed(1).padStart(6);
    const line = [...states].map(([state, count]) => `${state} ${count}`).join("  ");
    if (!signal.aborted) stage.say(`${seconds} s  --  ${line}`);
  }
}

/** What is in the queue now and then. */
async function watchQueue(
  { stage }: Scene,
  { complaints }: Strikes,
  signal: AbortSignal,
): Promise<void> {
  const { redisUrl } = stage.stores;
  if (redisUrl === null) return;
  while (!signal.aborted) {
    await delay(5_000, undefined, { signal }).catch(() => undefined);
    complaints.push(...(await scanRedisAt(redisUrl, stage.secrets)));
  }
}

interface Course {
  readonly strikes: Strikes;
  readonly person: PersonWork;
  readonly settledMs: number | null;
}

async function conclude(scene: Scene, { strikes, person, settledMs }: Course): Promise<Verdict> {
  const { stage, cast, stops } = scene;
  // Idle, they have nothing to finish: whatever they do now is done before the evidence is taken.
  await Promise.all(stage.workers.map((worker) => worker.close()));
  const [ledger, posts] = [await readLedger(stage.database), await stage.platforms.posts()];
  const lines = [...scene.lines.values()];
  const byId = new Map(ledger.map((entry) => [entry.id, entry]));
  const { channels } = cast;
  const { retried } = person;
  const wrongs = [
    ...judge({ lines, channels, ledger: byId, posts, stops, retried }),
    ...(await judgeSurroundings(scene, strikes, person)),
  ];
  if (settledMs === null) wrongs.push(wrong("stuck", "not everything was settled in time", null));
  const facts = { options: stage.options, lines, ledger, posts, person, strikes };
  const result: DrillResult = { ...facts, wrongs, settledMs, holds: stops.length };
  const told = wrongs.slice(0, MAX_STORIES).map((one) => tellStory(scene, one, posts));
  const others = wrongs.slice(MAX_STORIES).map(({ what, detail, line }) => {
    return `${what}: ${line ? `delivery ${line.number} (${line.deliveryId}): ` : ""}${detail}`;
  });
  const report = [...(await Promise.all(told)), ...others.slice(0, 100), closingTable(result)];
  return { wrongs, report: report.join("\n\n") };
}

async function judgeSurroundings(
  { stage }: Scene,
  { complaints }: Strikes,
  person: PersonWork,
): Promise<Wrong[]> {
  const { stores, secrets, logDir, crashes } = stage;
  const places = [logDir, stores.redisFolder, ...stores.logFiles];
  const leaks = await scanFiles(places, secrets);
  const stuck = await readStuck(stage.database);
  return [
    ...leaks.map((detail) => wrong("leaked", detail, null)),
    ...stuck.map((detail) => wrong("stuck", detail, null)),
    ...crashes.map((detail) => wrong("crashed", detail, null)),
    ...[...new Set([...complaints, ...person.complaints])].map((detail) =>
      wrong(detail.startsWith("Redis holds") ? "leaked" : "other", detail, null),
    ),
  ];
}
