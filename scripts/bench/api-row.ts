import { Pool } from "undici";
import * as z from "zod";
import { usablePort } from "../stores/processes.ts";
import { startChild, type Child } from "./child.ts";
import { turnsOf, type Bar, type Figure } from "./compare.ts";
import { cpuSince, cpuTime, type CpuTime } from "./cpu-time.ts";
import { copyTemplate } from "./database.ts";
import { ourEnvironment, profiling } from "./our-engine.ts";
import type { Stage } from "./stage.ts";
import { percentile } from "./statistics.ts";

const PATH = "/api/v1/posts";
const AT_ONCE = 16;
const WARM_UP = 300;

/** As many connections as ours keeps. */
const BARE_CONNECTIONS = 12;

interface RunningApi {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

interface ApiRun {
  readonly perSecond: number;
  readonly latenciesMs: readonly number[];
  readonly cpu: CpuTime | null;
}

/** Posts of 2,000 characters for one channel, stored with all that comes with it, beside one bare row. */
export async function apiRow(stage: Stage, say: (line: string) => void): Promise<Figure[]> {
  const runs: Record<"bare" | "direct", ApiRun[]> = { bare: [], direct: [] };
  for (let round = 0; round < stage.options.rounds; round += 1) {
    for (const name of turnsOf(["bare", "direct"] as const, round)) {
      stage.signal.throwIfAborted();
      const run = await measure(stage, name === "bare" ? startBareApi : startOurApi);
      runs[name].push(run);
      say(
        `  round ${round + 1}, ${name === "bare" ? name : "ours"}: ${Math.round(run.perSecond)} requests/s`,
      );
    }
  }
  const figure = (
    measure: string,
    unit: string,
    bar: Bar | null,
    read: (run: ApiRun) => number,
  ) => {
    const values = { bare: runs.bare.map(read), direct: runs.direct.map(read) };
    return { row: "api", measure, unit, bar, values };
  };
  const cpuOf =
    (who: "workers" | "stores") =>
    ({ cpu, latenciesMs }: ApiRun) =>
      cpu === null ? Number.NaN : cpu[who] / latenciesMs.length;
  const half: Bar = { text: "at least 0.5", of: "ratio", isMet: (ratio) => ratio >= 0.5 };
  const quick: Bar = { text: "below 100 ms", of: "value", isMet: (ms) => ms < 100 };
  return [
    figure(`POST ${PATH}, 2,000 characters`, "/s", half, ({ perSecond }) => perSecond),
    figure("CPU of the process, each", "ms", null, cpuOf("workers")),
    figure("CPU of PostgreSQL, each", "ms", null, cpuOf("stores")),
    figure("answer, p50", "ms", null, ({ latenciesMs }) => percentile(latenciesMs, 0.5)),
    figure("answer, p95", "ms", quick, ({ latenciesMs }) => percentile(latenciesMs, 0.95)),
  ];
}

async function measure(
  stage: Stage,
  start: (stage: Stage, databaseUrl: string) => Promise<RunningApi>,
): Promise<ApiRun> {
  const database = await copyTemplate(stage);
  const api = await start(stage, database.url);
  try {
    await createPosts(stage, api, WARM_UP);
    const cpuBefore = cpuTime(stage, [api.pid]);
    const began = performance.now();
    const latenciesMs = await createPosts(stage, api, stage.options.apiRequests);
    const tookMs = performance.now() - began;
    const cpu = cpuSince(cpuBefore, cpuTime(stage, [api.pid]));
    return { perSecond: (latenciesMs.length * 1_000) / tookMs, latenciesMs, cpu };
  } finally {
    await api.stop();
    await database.drop();
  }
}

/** Creates so many posts, a few at a time. @returns how long each answer took, in milliseconds */
export async function createPosts(
  { template, signal }: Stage,
  { url }: Pick<RunningApi, "url">,
  count: number,
): Promise<number[]> {
  const pool = new Pool(url, { connections: AT_ONCE });
  const headers = {
    authorization: `Bearer ${template.token}`,
    "content-type": "application/json",
  };
  const latencies: number[] = [];
  let left = count;
  async function postOneByOne(): Promise<void> {
    while (left > 0) {
      left -= 1;
      const body = postBody(template.channelIds[left % template.channelIds.length] ?? "", left);
      const began = performance.now();
      const answer = await pool.request({ method: "POST", path: PATH, headers, body, signal });
      const text = await answer.body.text();
      latencies.push(performance.now() - began);
      if (answer.statusCode !== 201)
        throw new Error(`${PATH} answered ${answer.statusCode}: ${text}`);
    }
  }
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, postOneByOne));
  } finally {
    await pool.destroy();
  }
  return latencies;
}

/** A thread: no part is longer than the platform allows. */
function postBody(channelId: string, number: number): string {
  const text = `Post ${number}. `.padEnd(500, "Know your numbers and write them down. ").trim();
  const parts = Array.from({ length: 4 }, (_, part) => ({ text: `${part}${text.slice(1)}` }));
  return JSON.stringify({ parts, channelIds: [channelId], labels: ["bench"] });
}

async function startBareApi(stage: Stage, databaseUrl: string): Promise<RunningApi> {
  const child = startChild({
    name: "bare API",
    script: "scripts/bench/bare-api.js",
    env: {
      NODE_ENV: "production",
      DATABASE_URL: databaseUrl,
      CONNECTIONS: String(BARE_CONNECTIONS),
    },
  });
  return running(stage, child, await child.ask("url", z.url()));
}

/** @param redisUrl null for direct mode */
export async function startOurApi(
  stage: Stage,
  databaseUrl: string,
  redisUrl: string | null = null,
): Promise<RunningApi> {
  const port = String(await usablePort(0));
  const env = { ...ourEnvironment(stage, databaseUrl, redisUrl), PORT: port, HOST: "127.0.0.1" };
  const nodeOptions = profiling(stage);
  const child = startChild({ name: "API", script: "api/main.js", env, nodeOptions });
  await child.logged(/api listening/);
  return running(stage, child, `http://127.0.0.1:${port}`);
}

function running(stage: Stage, child: Child, url: string): RunningApi {
  stage.onClose(() => child.stop());
  return { url, pid: child.pid, stop: () => child.stop() };
}
