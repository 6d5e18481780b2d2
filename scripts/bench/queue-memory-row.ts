import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { fillDatabase } from "./big-database.ts";
import type { Bar, Figure } from "./compare.ts";
import { copyTemplate } from "./database.ts";
import { startOurWorkers } from "./our-engine.ts";
import { redisDatabase, type Stage } from "./stage.ts";

/** Long enough for many looks of every worker. */
const LOOKS = 50;
const LOOK_EVERY_MS = 100;

interface Held {
  readonly bytes: number;
  readonly keys: number;
}

/** What Redis holds when everything is planned beyond the horizon: few deliveries beside many. */
export async function queueMemoryRow(stage: Stage, say: (line: string) => void): Promise<Figure[]> {
  const { smaller, larger } = stage.options.plan;
  const few = await measure(stage, smaller);
  const many = await measure(stage, larger);
  for (const [count, { bytes, keys }] of [
    [smaller, few],
    [larger, many],
  ] as const) {
    say(`  ${count} planned: ${bytes} bytes, ${keys} keys`);
  }
  const bar: Bar = { text: "at most 1.05", of: "ratio", isMet: (ratio) => ratio <= 1.05 };
  const figure = (measure: string, unit: string, read: (held: Held) => number): Figure => {
    const values = { smaller: [read(few)], redis: [read(many)] };
    return { row: "queue", measure, unit, bar, values };
  };
  return [
    figure("memory used by Redis", "MB", ({ bytes }) => bytes / 1e6),
    figure("keys in Redis that do not expire", "", ({ keys }) => keys),
  ];
}

/** The least of many looks: canaries come and go. */
async function measure(stage: Stage, planned: number): Promise<Held> {
  const database = await copyTemplate(stage);
  const redisUrl = redisDatabase(stage, 1);
  const redis = new Redis(redisUrl);
  try {
    await fillDatabase(database.client, stage.template, { past: 0, planned, duePerChannel: 0 });
    await redis.flushall();
    const workers = await startOurWorkers(stage, database.url, redisUrl);
    const held: Held[] = [];
    while (held.length < LOOKS) {
      await delay(LOOK_EVERY_MS, undefined, { signal: stage.signal });
      held.push(await look(redis));
    }
    await Promise.all(workers.map((worker) => worker.stop()));
    return {
      bytes: Math.min(...held.map(({ bytes }) => bytes)),
      keys: Math.min(...held.map(({ keys }) => keys)),
    };
  } finally {
    redis.disconnect();
    await database.drop();
  }
}

/** Keys that expire are BullMQ's own marks of the last seconds. */
async function look(redis: Redis): Promise<Held> {
  const info = await redis.info();
  const used = /^used_memory:(\d+)/m.exec(info)?.[1];
  const all = [...info.matchAll(/^db\d+:keys=(\d+),expires=(\d+)/gm)];
  const lasting = all.map(([, keys, expiring]) => Number(keys) - Number(expiring));
  return { bytes: Number(used), keys: lasting.reduce((sum, each) => sum + each, 0) };
}
