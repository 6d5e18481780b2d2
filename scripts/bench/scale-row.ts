import { claimNext } from "../../shared/db/deliveries.ts";
import { openDb, type Db } from "../../shared/db/client.ts";
import { listDeliveries } from "../../shared/queries/deliveries.ts";
import { fillDatabase } from "./big-database.ts";
import type { Bar, Figure } from "./compare.ts";
import { copyTemplate } from "./database.ts";
import { explain, type QueryPlan } from "./query-plan.ts";
import type { Stage } from "./stage.ts";
import { percentile } from "./statistics.ts";

/** A page as the API gives it out by default. */
const PAGE = 50;

/** Channels that are claimed for in one statement. */
const CLAIMED = 50;

const WARM_UP = 5;
const DAY_MS = 86_400_000;

interface Question {
  readonly name: string;
  /** @returns how many rows it found */
  readonly ask: (db: Db) => Promise<number>;
}

interface Size {
  readonly db: Db;
  readonly questions: readonly Question[];
}

/** What is asked all day, of a table that has grown for years beside one that has not. */
export async function scaleRow(stage: Stage, say: (line: string) => void): Promise<Figure[]> {
  const { smaller: few, larger: many } = stage.options.scale;
  const smaller = await openSize(stage, few);
  const larger = await openSize(stage, many);
  say(`  two tables are filled: ${few} and ${many} deliveries`);
  const figures: Figure[] = [];
  for (const [index, { name, ask }] of larger.questions.entries()) {
    const plan = await explain(larger.db, ask);
    const values = { smaller: [] as number[], ours: [] as number[] };
    for (let round = 0; round < stage.options.rounds; round += 1) {
      const pair = await compare(stage, [smaller, larger], index);
      values.smaller.push(pair.smaller);
      values.ours.push(pair.ours);
    }
    say(`  ${name}: done`);
    const measure = `${name} (${nameOf(plan)})`;
    figures.push({ row: "scale", measure, unit: "ms", bar: barFor(plan), values });
  }
  await Promise.all([smaller, larger].map(({ close }) => close()));
  return figures;
}

async function openSize(
  stage: Stage,
  deliveries: number,
): Promise<Size & { readonly close: () => Promise<void> }> {
  const { template } = stage;
  const database = await copyTemplate(stage);
  const half = Math.floor(deliveries / 2);
  await fillDatabase(database.client, template, { past: half, planned: half, duePerChannel: 2 });
  // As a worker would hold them.
  await database.client.query(
    "update outbox set leased_by = 'bench', leased_until = now() + interval '1 day', fence = 1 where job = 'publish-channel'",
  );
  const db = openDb(database.url, { maxConnections: 1 });
  return {
    db,
    questions: questionsOf(stage),
    async close() {
      await db.destroy();
      await database.drop();
    },
  };
}

function questionsOf({ template }: Stage): Question[] {
  const { workspaceId, channelIds } = template;
  const leases = channelIds.slice(0, CLAIMED).map((channelId) => ({ channelId, fence: 1 }));
  const at = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();
  const list =
    (
      filter: Parameters<typeof listDeliveries>[2],
      after: readonly [string, string] | null = null,
    ) =>
    async (db: Db) =>
      (await listDeliveries(db, workspaceId, filter, { after, limit: PAGE })).length;
  const month = { from: at(-60), to: at(-30) };
  const middle = [at(-45), "00000000-0000-0000-0000-000000000000"] as const;
  return [
    {
      name: `claiming, ${leases.length} channels`,
      ask: async (db) => (await claimNext(db, leases)).filter((found) => found?.isClaimed).length,
    },
    { name: "calendar month, first page", ask: list(month) },
    { name: "calendar month, a later page", ask: list(month, middle) },
    { name: "failed list", ask: list({ state: ["failed"] }) },
  ];
}

/** Asks both tables in turn. @returns the medians, in milliseconds */
async function compare(
  { options, signal }: Stage,
  sizes: readonly [Size, Size],
  index: number,
): Promise<{ smaller: number; ours: number }> {
  const took: [number[], number[]] = [[], []];
  const found: [number, number] = [0, 0];
  for (let turn = -WARM_UP; turn < options.scale.turns; turn += 1) {
    for (const which of [0, 1] as const) {
      signal.throwIfAborted();
      const { db, questions } = sizes[which];
      const question = questions[index];
      if (!question) continue;
      const answer = await time(db, question);
      found[which] = answer.count;
      if (turn >= 0) took[which].push(answer.tookMs);
    }
  }
  if (found[0] === 0 || found[0] !== found[1]) {
    throw new Error(`Not comparable: ${found[0]} rows were found of few, and ${found[1]} of many.`);
  }
  return { smaller: percentile(took[0], 0.5), ours: percentile(took[1], 0.5) };
}

/** Whatever it changes is undone, so that it finds the same again. */
async function time(db: Db, { ask }: Question): Promise<{ tookMs: number; count: number }> {
  const tx = await db.startTransaction().execute();
  const began = performance.now();
  const count = await ask(tx);
  const tookMs = performance.now() - began;
  await tx.rollback().execute();
  return { tookMs, count };
}

function nameOf({ indexes, readWhole }: QueryPlan): string {
  if (readWhole.includes("deliveries")) return "reads the whole table";
  return indexes.filter((name) => /^deliveries_(?!pkey)/.test(name)).join(", ");
}

function barFor(plan: QueryPlan): Bar {
  const isIndexed = !plan.readWhole.includes("deliveries");
  const isMet = (ratio: number) => isIndexed && ratio <= 1.5;
  return { text: "at most 1.5, by an index", of: "ratio", isMet };
}
