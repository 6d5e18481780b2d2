import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { PROJECT_ROOT } from "../../shared/project-root.ts";
import { loadConnectors, type Registry } from "../../shared/connectors/registry.ts";
import { assemble } from "./assemble.ts";
import { CHANNELS } from "./channels.ts";
import { closingText, openingText } from "./closing.ts";
import { conduct } from "./conductor.ts";
import { openDemoClock, type DemoClock, type Look } from "./demo-clock.ts";
import { readPlan } from "./plan.ts";
import { createProgress } from "./progress.ts";
import { createScenePlayer } from "./scene-player.ts";
import { SCENES } from "./scenes.ts";
import type { Screen } from "./screen.ts";
import type { Material } from "./set-the-stage.ts";
import { openDemoStores } from "./stores.ts";
import { takeStock } from "./take-stock.ts";

export interface Demo {
  readonly screen: Screen;
  readonly env: NodeJS.ProcessEnv;
  /** Leaves everything up until the signal, so that the person can try the API. */
  readonly isKept: boolean;
  readonly signal: AbortSignal;
}

/** The day before the plan begins. */
const BEGINS_AT = new Date("2027-01-31T18:00:00Z");

const ENGAGEMENT_AFTER = "15m,1h,6h,24h,3d,7d,28d";
const EXAMPLES = path.join(PROJECT_ROOT, "examples");

interface Outcome {
  isWell: boolean;
}

/**
 * Plays the example plan from import to the last reading, with everything that can go wrong on the way.
 * @returns whether nothing was lost, doubled or changed, and nothing crashed
 */
export async function runDemo(demo: Demo): Promise<boolean> {
  const undo: (() => unknown)[] = [];
  const outcome: Outcome = { isWell: false };
  try {
    await play(demo, undo, outcome);
  } finally {
    if (demo.signal.aborted) demo.screen.say("  Stopping.");
    for (const step of undo.toReversed()) await step();
  }
  return outcome.isWell;
}

async function play(demo: Demo, undo: (() => unknown)[], outcome: Outcome): Promise<void> {
  const { screen, env, signal, isKept } = demo;
  const startedMs = performance.now();
  screen.say(openingText(screen.paint));
  const dataDir = path.resolve(PROJECT_ROOT, env["POSTWELL_DATA_DIR"] || "data");
  mkdirSync(dataDir, { recursive: true });
  const stores = await openDemoStores({
    dataDir,
    queue: env["POSTWELL_QUEUE"] || "auto",
    say: screen.say,
    signal,
    keepsLogs: () => !outcome.isWell && !signal.aborted,
    undo,
  });
  const clock = await openDemoClock(stores.db, BEGINS_AT);
  const connectors = await loadConnectors();
  const material = readMaterial(connectors);
  const { company, address, tokenFile } = await assemble({
    screen,
    env,
    signal,
    dataDir,
    stores,
    clock,
    connectors,
    material,
    undo,
    engagementAfter: ENGAGEMENT_AFTER,
  });

  screen.say("");
  const onLook = createProgress(screen, material.plan.deliveries.length, () => clock.count());
  const scenes = createScenePlayer(company, SCENES, material.plan.deliveries);
  const played = await conduct({ db: stores.db, clock, scenes, company, signal, onLook });
  const totalMs = performance.now() - startedMs;
  const stock = await takeStock(company, material.plan, ENGAGEMENT_AFTER);
  const crashes = company.processes.crashes();
  outcome.isWell = stock.findings.length === 0 && crashes.length === 0;
  const time = { ...played, beganAt: BEGINS_AT, totalMs };
  const { queueLine } = stores;
  const closing = { stock, crashes, time, queueLine, address, tokenFile, isKept };
  screen.say(closingText(closing, screen.paint));
  if (isKept) await stayUp(clock, onLook, signal);
}

function readMaterial(connectors: Registry): Material {
  const csvFile = path.join(EXAMPLES, "american-heart-month-2027.csv");
  const platforms = new Map(CHANNELS.map(({ name, platform }) => [name, platform]));
  const hasCards = (channel: string) =>
    connectors.get(platforms.get(channel) ?? "")?.capabilities.showsLinkCard ?? false;
  const plan = readPlan(readFileSync(csvFile, "utf8"), hasCards);
  return { plan, csvFile, imagesDir: path.join(EXAMPLES, "images") };
}

/** From here on the clock only runs: what a person retries now goes out before their eyes. */
async function stayUp(
  clock: DemoClock,
  onLook: (look: Look) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await onLook(await clock.look());
    await delay(200, undefined, { signal }).catch(() => undefined);
  }
}
