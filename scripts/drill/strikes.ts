import { Redis } from "ioredis";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freeze, startChild } from "./child.ts";
import { STOP_WITHIN_MS, type Member } from "./crew.ts";
import { named } from "./database.ts";
import type { FaultKind, PlannedFault } from "./faults.ts";
import { scanRedis } from "./leaks.ts";
import type { Scene } from "./scene.ts";
import { killPromoter } from "./promoter-gate.ts";
import { shiftedClock } from "./stage.ts";

/** What struck, and what should not have happened while it did. */
export interface Strikes {
  readonly counts: Map<FaultKind, number>;
  /** Sentences; each one is a failure of the drill. */
  readonly complaints: string[];
}

/** Makes a fault happen. @returns null when it struck, else why not */
type Strike = (scene: Scene, fault: PlannedFault, strikes: Strikes) => Promise<string | null>;

export const STRIKES: Record<FaultKind, Strike> = {
  "worker killed": async (scene, { which, forMs }) => {
    await memberOf(scene, which).kill(forMs);
    return null;
  },
  "worker frozen": freezeWorker,
  "worker frozen briefly": freezeWorker,
  "worker asked to stop": async (scene, { which, forMs }, { complaints }) => {
    const member = memberOf(scene, which);
    const tookMs = await member.askToStop(forMs);
    if (tookMs > STOP_WITHIN_MS) complaints.push(`${member.name} took ${tookMs} ms to stop.`);
    return null;
  },
  "promoter killed before its mark": ({ stage }, { which, forMs }) =>
    killPromoter(stage, which, forMs),
  "redis killed": async ({ stage }, { forMs }) => {
    await stage.stores.restartRedis(forMs);
    return null;
  },
  "redis wiped": (scene, _fault, strikes) =>
    onRedis(scene, async (redis) => {
      strikes.complaints.push(...(await scanRedis(redis, scene.stage.secrets)));
      await redis.flushall();
    }),
  "redis paused": (scene, { forMs }) =>
    onRedis(scene, async (redis) => {
      await redis.client("PAUSE", forMs, "ALL");
      await delay(forMs);
    }),
  "redis frozen": async ({ stage }, { forMs }) => {
    await freeze(stage.stores.redisPid(), forMs);
    return null;
  },
  "redis full": (scene, { forMs }) =>
    onRedis(scene, async (redis) => {
      await redis.config("SET", "maxmemory", "100kb");
      await delay(forMs);
      await redis.config("SET", "maxmemory", "0");
    }),
  "postgres restarted": async ({ stage }, { forMs }) => {
    await stage.stores.restartPostgres(forMs);
    return null;
  },
  "postgres sessions ended": (scene) => endSessions(scene, "%"),
  "worker's database sessions ended": (scene, { which }) =>
    endSessions(scene, memberOf(scene, which).name),
  "platform misbehaves": async (scene, fault) => {
    if (!fault.platformFault) return "there is no such fault";
    const { platforms } = scene.stage;
    const platform = platformOf(scene, fault);
    await platforms.misbehave(platform, fault.platformFault, timesOf(fault));
    // Left alone, it would wait for the few requests of a platform that is given time to recover.
    await delay(fault.forMs);
    await platforms.misbehave(platform, fault.platformFault, 0);
    return null;
  },
  "platform answers late": async (scene, fault) => {
    const late = { byMs: lateByMs(fault), forMs: fault.forMs };
    await scene.stage.platforms.answerLate(platformOf(scene, fault), late);
    await delay(fault.forMs);
    return null;
  },
  "platforms frozen": async ({ stage }, { forMs }) => {
    await freeze(stage.platforms.process.pid, forMs);
    return null;
  },
  "sign-in ended": async (scene, { which }) => {
    const channel = scene.cast.channels[which % scene.cast.channels.length];
    if (!channel) return "there is no such channel";
    await scene.stage.platforms.endSignIn(channel.platform, channel.account);
    return null;
  },
  "api killed": async ({ stage }, { forMs }) => {
    await stage.apiProcess.kill(forMs);
    return null;
  },
  "worker with a wrong clock": startWrongClock,
};

async function freezeWorker(scene: Scene, { which, forMs }: PlannedFault): Promise<null> {
  await memberOf(scene, which).freeze(forMs);
  return null;
}

async function onRedis(
  { stage }: Scene,
  act: (redis: Redis) => Promise<unknown>,
): Promise<string | null> {
  const redis = new Redis(stage.stores.redisUrl ?? "", {
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  redis.on("error", () => undefined);
  try {
    await act(redis);
    return null;
  } finally {
    redis.disconnect();
  }
}

async function endSessions({ stage }: Scene, name: string): Promise<null> {
  await stage.database.tryRows(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where application_name like $1 and application_name not in ('drill', '') and pid <> pg_backend_pid()`,
    [name],
  );
  return null;
}

const MOST_TIMES = 4;
const WRONG_BY_MS = 120_000;
const REFUSES_WITHIN_MS = 20_000;

/** It must not begin to work. */
async function startWrongClock(
  { stage }: Scene,
  _fault: PlannedFault,
  { complaints }: Strikes,
): Promise<string | null> {
  const name = "worker-wrong-clock";
  await stage.database.rows("select");
  const logFile = path.join(stage.logDir, `${name}.log`);
  const child = startChild({
    name,
    script: "worker/main.js",
    env: {
      ...stage.environment,
      DATABASE_URL: named(stage.stores.databaseUrl, name),
      DRILL_CLOCK_AHEAD_MS: String(WRONG_BY_MS),
    },
    nodeOptions: shiftedClock(),
    logFile,
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), REFUSES_WITHIN_MS);
  const how = await child.ended;
  clearTimeout(timer);
  const said = await readFile(logFile, "utf8");
  if (said.includes("worker started")) {
    complaints.push("A worker whose clock is two minutes ahead began to work.");
  } else if (how === "SIGKILL") {
    complaints.push("A worker whose clock is two minutes ahead neither refused nor began.");
  }
  return /clock/.test(said) ? null : `it ended before it looked at its clock (${how})`;
}

export function memberOf({ stage }: Scene, which: number): Member {
  const member = stage.workers[which % stage.workers.length];
  if (!member) throw new Error("There are no workers.");
  return member;
}

export function platformOf({ stage }: Scene, { which }: PlannedFault): string {
  const platforms = [...stage.platforms.urls.keys()];
  return platforms[which % platforms.length] ?? "";
}

/** Mostly fewer in a row than make a platform count as away. */
export function timesOf({ which }: PlannedFault): number {
  return 1 + (which % MOST_TIMES);
}

/** Sometimes in time, sometimes after we have given up. */
export function lateByMs({ which }: PlannedFault): number {
  return which % 2 === 0 ? 1_500 : 4_500;
}
