import { createPosts, startOurApi } from "./api-row.ts";
import type { Bar, Figure } from "./compare.ts";
import { dueAlready } from "./load.ts";
import { openOurs } from "./our-engine.ts";
import { peakResidentBytes } from "./process-memory.ts";
import type { Stage } from "./stage.ts";

/** Megabytes. */
interface Peaks {
  readonly worker: number;
  readonly api: number;
}

/** What api and workers have resident at most, while both do as much as they can at the same time. Once: it hardly varies. */
export async function memoryRow(stage: Stage, say: (line: string) => void): Promise<Figure[]> {
  const redis = await measure(stage, "redis");
  const direct = await measure(stage, "direct");
  say("  measured in both modes");
  const bar: Bar = { text: "below 200 MB", of: "value", isMet: (megabytes) => megabytes < 200 };
  const figure = (measure: string, read: (peaks: Peaks) => number): Figure => {
    const values = { redis: [read(redis)], direct: [read(direct)] };
    return { row: "memory", measure, unit: "MB", bar, values };
  };
  return [
    figure("largest worker, at its peak", ({ worker }) => worker),
    figure("API, at its peak", ({ api }) => api),
  ];
}

async function measure(stage: Stage, mode: "redis" | "direct"): Promise<Peaks> {
  stage.signal.throwIfAborted();
  const { deliveries, channels, apiRequests } = stage.options;
  const engine = await openOurs(stage, mode);
  const api = await startOurApi(stage, engine.database.url, engine.redisUrl);
  try {
    await Promise.all([
      engine.run(dueAlready(deliveries, channels)),
      createPosts(stage, api, apiRequests),
    ]);
    const worker = Math.max(...engine.workers.map(({ pid }) => peakMegabytes(pid)));
    return { worker, api: peakMegabytes(api.pid) };
  } finally {
    await api.stop();
    await engine.close();
  }
}

function peakMegabytes(pid: number): number {
  return (peakResidentBytes(pid) ?? Number.NaN) / 1e6;
}
