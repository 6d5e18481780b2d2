import { parseArgs } from "node:util";
import * as z from "zod";

/** How large, how often, and what. */
export interface BenchOptions {
  readonly deliveries: number;
  readonly channels: number;
  readonly workers: number;
  /** Of each worker process, ours and the bare one alike. */
  readonly concurrency: number;
  readonly latencyMs: number;
  readonly rounds: number;
  readonly apiRequests: number;
  readonly steady: { readonly perSecond: number; readonly seconds: number };
  /** Outbox rows. */
  readonly promoter: { readonly due: number; readonly future: number };
  /** Deliveries planned beyond the horizon. */
  readonly plan: { readonly smaller: number; readonly larger: number };
  /** Deliveries in the table, and how often each is asked. */
  readonly scale: { readonly smaller: number; readonly larger: number; readonly turns: number };
  /** Also starts from a fresh clone, which installs everything. */
  readonly isFresh: boolean;
  /** Names of rows; empty for all. */
  readonly rows: readonly string[];
  readonly jsonFile: string | null;
  /** Folder for CPU profiles of our workers; null for none. */
  readonly profileDir: string | null;
}

const USAGE = `npm run bench -- [options]
  --quick              a small run: seconds instead of minutes, and coarse
  --deliveries N       for throughput and spike (10000)
  --channels N         (500)
  --concurrency N      channels or jobs at a time, each worker process (400)
  --rounds N           how often the engines take turns (3)
  --rows a,b           only these rows
  --fresh              the row start also begins with a fresh clone
  --json FILE          also write the results there
  --profile DIR        write CPU profiles of our processes there`;

const count = z.coerce.number().int().min(1);

/** The message tells what is wrong and how to call the bench. */
export class OptionError extends Error {
  override readonly name = "OptionError";
}

/** @throws {OptionError} */
export function readOptions(args: readonly string[]): BenchOptions {
  try {
    return parse(args);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "";
    throw new OptionError(`${reason}\n\n${USAGE}`, { cause });
  }
}

function parse(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      deliveries: { type: "string" },
      channels: { type: "string" },
      concurrency: { type: "string" },
      rounds: { type: "string" },
      rows: { type: "string" },
      fresh: { type: "boolean", default: false },
      json: { type: "string" },
      profile: { type: "string" },
    },
  });
  const { quick } = values;
  const many = quick ? 100_000 : 1_000_000;
  return {
    deliveries: count.parse(values.deliveries ?? (quick ? 1_000 : 10_000)),
    channels: count.parse(values.channels ?? (quick ? 100 : 500)),
    workers: 2,
    concurrency: count.parse(values.concurrency ?? 400),
    latencyMs: 100,
    rounds: count.parse(values.rounds ?? (quick ? 1 : 3)),
    apiRequests: quick ? 500 : 5_000,
    steady: { perSecond: 100, seconds: quick ? 5 : 60 },
    promoter: { due: quick ? 1_000 : 10_000, future: many },
    plan: { smaller: 1_000, larger: many },
    scale: { smaller: 10_000, larger: many, turns: quick ? 20 : 100 },
    isFresh: values.fresh,
    rows: values.rows?.split(",") ?? [],
    jsonFile: values.json ?? null,
    profileDir: values.profile ?? null,
  };
}
