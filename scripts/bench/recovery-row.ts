import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "pg";
import type { Child } from "./child.ts";
import type { Bar, Figure } from "./compare.ts";
import { dueAlready } from "./load.ts";
import { readReceipts } from "./ledger.ts";
import { allDone, openOurs, type OurEngine } from "./our-engine.ts";
import { planDeliveries, wakeChannels } from "./plan-deliveries.ts";
import type { Stage } from "./stage.ts";
import { percentile } from "./statistics.ts";

const LOOK_EVERY_MS = 25;

/** The share of the load that is out when the worker is killed. */
const KILL_AFTER = 0.2;

/** Milliseconds after the kill. */
interface Recovery {
  /** By channel of the dead worker with something to publish: another one arms the next. */
  readonly goneOn: readonly number[];
  /** By delivery of which it had written an attempt, without an answer: it may be out. */
  readonly settled: readonly number[];
}

/**
 * `kill -9` of one of two workers in the middle of a load: when what it had in hand goes on. Once in each mode: hundreds of channels
 * are affected.
 */
export async function recoveryRow(stage: Stage, say: (line: string) => void): Promise<Figure[]> {
  const redis = await measure(stage, "redis");
  const direct = await measure(stage, "direct");
  for (const [mode, { goneOn, settled }] of [
    ["redis", redis],
    ["direct", direct],
  ] as const) {
    const line = `  ${mode}: ${goneOn.length} channels of the dead worker`;
    say(`${line}, ${settled.length} deliveries in flight`);
  }
  const figure = (
    measure: string,
    bar: Bar | null,
    read: (recovery: Recovery) => number,
  ): Figure => {
    const values = { redis: [read(redis)], direct: [read(direct)] };
    return { row: "recovery", measure, unit: "ms", bar, values };
  };
  const soon: Bar = { text: "within 15 s", of: "value", isMet: (ms) => ms <= 15_000 };
  return [
    figure("a dead worker's channel goes on, p50", null, ({ goneOn }) => percentile(goneOn, 0.5)),
    figure("p99", soon, ({ goneOn }) => percentile(goneOn, 0.99)),
    figure("what it had in flight is settled, p50", null, ({ settled }) =>
      percentile(settled, 0.5),
    ),
    figure("p99", null, ({ settled }) => percentile(settled, 0.99)),
  ];
}

async function measure(stage: Stage, mode: "redis" | "direct"): Promise<Recovery> {
  stage.signal.throwIfAborted();
  const engine = await openOurs(stage, mode);
  try {
    return await killOne(stage, engine);
  } finally {
    await engine.close();
  }
}

async function killOne(stage: Stage, { database, workers }: OurEngine): Promise<Recovery> {
  const { client } = database;
  const load = dueAlready(Math.ceil(stage.options.deliveries / 2), stage.options.channels);
  const base = new Date(Date.now() - 1_000);
  const ids = await planDeliveries(client, stage.template, { load, base });
  await wakeChannels(client);
  await untilPublished(stage, client, ids.length * KILL_AFTER);
  const [victim, ...survivors] = await busiestFirst(client, workers);
  if (!victim) throw new Error("There is no worker to kill.");
  victim.kill("SIGKILL");
  const left = await readLeft(client, victim, ids);
  await allDone(stage, client, survivors);
  const published = await readReceipts(client, stage.template, ids);
  if (published.length !== ids.length) {
    throw new Error(`${ids.length} were planned, and ${published.length} are published.`);
  }
  return readRecovery(client, victim, left);
}

async function untilPublished({ signal }: Stage, client: Client, count: number): Promise<void> {
  for (;;) {
    const { rowCount } = await client.query(
      "select from deliveries where state = 'published' and content_hash <> 'past' limit $1",
      [Math.ceil(count)],
    );
    if (rowCount === Math.ceil(count)) return;
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}

/** By the channels that they hold: whoever holds the most leaves the most behind. Those without any come last. */
async function busiestFirst(client: Client, workers: readonly Child[]): Promise<Child[]> {
  const { rows } = await client.query<{ worker: string }>(
    `select leased_by as worker from outbox
      where job = 'publish-channel' and leased_until > now() group by 1 order by count(*)`,
  );
  const order = rows.map(({ worker }) => worker);
  const rank = (worker: Child) => order.findLastIndex((name) => isOf(worker, name));
  return workers.toSorted((one, other) => rank(other) - rank(one));
}

/** What a worker that was killed just now has left behind. */
interface Left {
  readonly killedAt: Date;
  /** With something to publish besides what is in flight. */
  readonly channelIds: readonly string[];
  readonly inFlightIds: readonly string[];
}

async function readLeft(client: Client, victim: Child, ids: readonly string[]): Promise<Left> {
  const { rows } = await client.query<Left>(
    `with held as (
       select subject_id from outbox
        where job = 'publish-channel' and leased_by like $1 and leased_until > now()),
     left_over as (
       select d.id, d.channel_id, d.state from deliveries d join held on subject_id = d.channel_id
        where d.id = any($2::uuid[]) and d.state <> 'published')
     select now() as "killedAt",
            coalesce(array_agg(distinct channel_id::text) filter (where state <> 'sending'), '{}') as "channelIds",
            coalesce(array_agg(id::text) filter (where state = 'sending'), '{}') as "inFlightIds"
       from left_over`,
    [likeOf(victim), ids],
  );
  const [left] = rows;
  if (!left) throw new Error("PostgreSQL did not answer.");
  return left;
}

async function readRecovery(client: Client, victim: Child, left: Left): Promise<Recovery> {
  const { killedAt, channelIds, inFlightIds } = left;
  const signs = await client.query<{ ms: number }>(
    `select extract(epoch from min(a.armed_at) - $1::timestamptz)::float8 * 1000 as ms
       from deliveries d join attempts a on a.delivery_id = d.id
      where d.channel_id = any($3::uuid[]) and a.armed_at > $1 and a.worker not like $2 group by d.channel_id`,
    [killedAt, likeOf(victim), channelIds],
  );
  const receipts = await client.query<{ ms: number }>(
    `select extract(epoch from max(recorded_at) - $1::timestamptz)::float8 * 1000 as ms
       from receipts where delivery_id = any($2::uuid[]) group by delivery_id`,
    [killedAt, inFlightIds],
  );
  return { goneOn: signs.rows.map(({ ms }) => ms), settled: receipts.rows.map(({ ms }) => ms) };
}

/** A worker's name holds its process id. */
function isOf({ pid }: Child, worker: string): boolean {
  return worker.includes(`-${pid}-`);
}

function likeOf({ pid }: Child): string {
  return `%-${pid}-%`;
}
