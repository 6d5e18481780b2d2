import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import path from "node:path";
import { PROJECT_ROOT } from "../../shared/project-root.ts";
import { requirePort } from "../launch/require-port.ts";
import { createApiClient } from "./api-client.ts";
import { closingText, openingText } from "./closing.ts";
import { conduct } from "./conductor.ts";
import { createDemoClock, type DemoClock } from "./demo-clock.ts";
import { readPlan } from "./plan.ts";
import { startDemoProcesses } from "./processes.ts";
import { createProgress } from "./progress.ts";
import { createScenePlayer, type Company } from "./scene-player.ts";
import { SCENES } from "./scenes.ts";
import type { Screen } from "./screen.ts";
import { setTheStage } from "./set-the-stage.ts";
import { startSimulators } from "./simulators.ts";
import { demoDir, newSecrets, openDemoStores, type DemoStores } from "./stores.ts";
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
const CSV_FILE = path.join(EXAMPLES, "american-heart-month-2027.csv");

/**
 * Plays the example plan from import to the last reading, with everything that can go wrong on the way.
 * @returns whether nothing was lost, doubled or changed
 */
export async function runDemo(demo: Demo): Promise<boolean> {
  const undo: (() => unknown)[] = [];
  try {
    return await play(demo, undo);
  } finally {
    for (const step of undo.toReversed()) await step();
  }
}

async function play(demo: Demo, undo: (() => unknown)[]): Promise<boolean> {
  const { screen, env, signal, isKept } = demo;
  const startedMs = performance.now();
  screen.say(openingText(screen.paint));
  const dataDir = path.resolve(PROJECT_ROOT, env["POSTWELL_DATA_DIR"] || "data");
  mkdirSync(dataDir, { recursive: true });
  const queue = env["POSTWELL_QUEUE"] || "auto";
  const stores = await openDemoStores({ dataDir, queue, say: screen.say, signal, undo });
  const clock = createDemoClock(stores.db);
  await clock.moveTo(BEGINS_AT);
  const dir = demoDir(dataDir);
  const { company, tokenFile, address } = await assemble({ demo, stores, clock, dir, undo });

  const plan = readPlan(readFileSync(CSV_FILE, "utf8"));
  const scenes = createScenePlayer(company, SCENES, plan.deliveries);
  const playingMs = performance.now();
  screen.say("");
  const { jumps, endedAt } = await conduct({
    db: stores.db,
    clock,
    scenes,
    company,
    signal,
    onLook: createProgress(screen, plan.deliveries.length),
  });
  const playedMs = performance.now() - playingMs;
  const stock = await takeStock(company, plan, ENGAGEMENT_AFTER);
  const time = { beganAt: BEGINS_AT, endedAt, jumps, playedMs };
  const totalMs = performance.now() - startedMs;
  const { queueLine } = stores;
  screen.say(
    closingText({ stock, time, totalMs, queueLine, address, tokenFile, isKept }, screen.paint),
  );
  if (isKept) await once(signal, "abort");
  return stock.findings.length === 0;
}

interface Assembly {
  readonly demo: Demo;
  readonly stores: DemoStores;
  readonly clock: DemoClock;
  readonly dir: string;
  readonly undo: (() => unknown)[];
}

/** Starts platforms and processes, and imports the plan. */
async function assemble({ demo, stores, clock, dir, undo }: Assembly): Promise<{
  company: Company;
  tokenFile: string;
  address: string;
}> {
  const { screen, signal } = demo;
  const simulators = await startSimulators(() => clock.now());
  undo.push(() => simulators.close());
  const port = await requirePort("127.0.0.1", 0);
  const address = `http://127.0.0.1:${port}`;
  const secrets = newSecrets();
  const env = {
    ...withoutSettings(demo.env),
    ...simulators.env,
    NODE_ENV: "production",
    HOST: "127.0.0.1",
    PORT: String(port),
    DATABASE_URL: stores.databaseUrl,
    REDIS_URL: stores.redisUrl ?? "",
    POSTWELL_DATA_DIR: dir,
    POSTWELL_SECRET_KEY: secrets.secretKey,
    POSTWELL_BOOTSTRAP_TOKEN: secrets.adminToken,
    POSTWELL_ALLOW_PRIVATE_HOSTS: "127.0.0.1",
    POSTWELL_LOG_LEVEL: "warn",
    // Jumps of the clock do not reach a queue that counts real seconds: it is told when something is due, not before.
    POSTWELL_HORIZON_SECONDS: "0",
    POSTWELL_POLL_MS: "10",
    POSTWELL_COMMIT_TIMEOUT_SECONDS: "3",
    POSTWELL_ENGAGEMENT_AFTER: ENGAGEMENT_AFTER,
  };
  const processes = await startDemoProcesses({ dir, address, env, say: screen.say, signal, undo });
  screen.say(`  1 api and 2 workers are up; ${stores.queueLine}`);
  const tokenFile = path.join(dir, "admin-token");
  writeFileSync(tokenFile, secrets.adminToken, { mode: 0o600 });
  const api = createApiClient(address, secrets.adminToken);
  const plan = readPlan(readFileSync(CSV_FILE, "utf8"));
  const material = { plan, imagesDir: path.join(EXAMPLES, "images"), csvFile: CSV_FILE };
  const stage = await setTheStage(api, simulators, material, screen);
  return { company: { api, simulators, stage, screen, processes }, tokenFile, address };
}

/** A real installation's settings must not reach the demo. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => !/^(POSTWELL_|DATABASE_URL$|REDIS_URL$|PORT$|HOST$)/.test(name),
    ),
  );
}
