import { bareEngine } from "./bare-engine.ts";
import { figureOf, takeTurns, type Bar, type Figure } from "./compare.ts";
import { dueAlready, spike, steady, type Engine, type EngineName, type Run } from "./load.ts";
import { ourEngine } from "./our-engine.ts";
import type { Stage } from "./stage.ts";
import { percentile, shareOf } from "./statistics.ts";

type Row = (stage: Stage, say: (line: string) => void) => Promise<Figure[]>;

/** What counts as on time. */
const ON_TIME_MS = 250;

/** Everything waits already: how much goes out in a second, from the claim to the stored receipt. */
export const throughputRow: Row = async (stage, say) => {
  const { deliveries, channels } = stage.options;
  const runs = await takeTurns(stage, engines(stage), dueAlready(deliveries, channels), say);
  const about = { row: "throughput", measure: "published", unit: "/s" };
  const perSecond = ({ startedAt, endedAt, deliveries: all }: Run) =>
    (all.length * 1_000) / (endedAt - startedAt);
  const bar = ratioBar("at least 0.5", (ratio) => ratio >= 0.5);
  return [figureOf(runs, { ...about, bar }, perSecond), ...cpuFigures(runs, about.row)];
};

/** A steady stream: how long after its time each one starts. */
export const steadyRow: Row = async (stage, say) => {
  const { perSecond, seconds } = stage.options.steady;
  const load = steady(perSecond, seconds, stage.options.channels);
  const runs = await takeTurns(stage, engines(stage), load, say);
  const row = "steady";
  const latenessAt = (share: number, measure: string) =>
    figureOf(runs, { row, measure, unit: "ms", bar: null }, (run) =>
      percentile(lateness(run), share),
    );
  const onTime = (run: Run) => 100 * shareOf(lateness(run), (late) => late <= ON_TIME_MS);
  const bar: Bar = { text: "at least 99 %", of: "value", isMet: (share) => share >= 99 };
  return [
    figureOf(runs, { row, measure: `start within ${ON_TIME_MS} ms`, unit: "%", bar }, onTime),
    latenessAt(0.5, "start after its time, p50"),
    latenessAt(0.99, "p99"),
    latenessAt(1, "latest"),
  ];
};

/** Everything falls due in the same moment: when the first and the last one go, and whether any channel is left behind. */
export const spikeRow: Row = async (stage, say) => {
  const { deliveries, channels } = stage.options;
  const runs = await takeTurns(stage, engines(stage), spike(deliveries, channels), say);
  const row = "spike";
  const figure = (measure: string, read: (run: Run) => number, bar: Bar | null = null) =>
    figureOf(runs, { row, measure, unit: "ms", bar }, read);
  const soon: Bar = { text: "within 250 ms", of: "value", isMet: (late) => late <= ON_TIME_MS };
  return [
    figure("first start", (run) => percentile(lateness(run), 0), soon),
    figure("start, p50", (run) => percentile(lateness(run), 0.5)),
    figure(
      "last answer",
      (run) => lastAnswer(run),
      ratioBar("at most 2", (ratio) => ratio <= 2),
    ),
    figure("latest first start of a channel", (run) => latestFirstStart(run)),
    figure("channels' last answers apart", (run) => spreadOfLastAnswers(run)),
  ];
};

/** Where the processors' time goes: the same whatever else the machine does. */
function cpuFigures(runs: ReadonlyMap<EngineName, readonly Run[]>, row: string): Figure[] {
  return (["workers", "stores", "platform"] as const).map((who) =>
    figureOf(runs, { row, measure: `CPU of the ${who}, each`, unit: "ms", bar: null }, (run) =>
      run.cpu === null ? Number.NaN : run.cpu[who] / run.deliveries.length,
    ),
  );
}

function engines(stage: Stage): Engine[] {
  return [bareEngine(stage), ourEngine(stage, "redis"), ourEngine(stage, "direct")];
}

function ratioBar(text: string, isMet: Bar["isMet"]): Bar {
  return { text, of: "ratio", isMet };
}

function lateness({ deliveries }: Run): number[] {
  return deliveries.map(({ dueAt, beganAt }) => beganAt - dueAt);
}

function lastAnswer({ startedAt, deliveries }: Run): number {
  return percentile(
    deliveries.map(({ endedAt }) => endedAt - startedAt),
    1,
  );
}

function latestFirstStart(run: Run): number {
  const firsts = byChannel(run).map((own) =>
    percentile(
      own.map(({ beganAt }) => beganAt),
      0,
    ),
  );
  return percentile(firsts, 1) - run.startedAt;
}

/** Between the channel that was done first and the one that was done last. */
function spreadOfLastAnswers(run: Run): number {
  const lasts = byChannel(run).map((own) =>
    percentile(
      own.map(({ endedAt }) => endedAt),
      1,
    ),
  );
  return percentile(lasts, 1) - percentile(lasts, 0);
}

function byChannel({ deliveries }: Run): (readonly Run["deliveries"][number][])[] {
  const groups = new Map<number, Run["deliveries"][number][]>();
  for (const delivery of deliveries) {
    const group = groups.get(delivery.channel) ?? [];
    group.push(delivery);
    groups.set(delivery.channel, group);
  }
  return [...groups.values()];
}
