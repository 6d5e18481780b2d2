import type { Engine, EngineName, Load, Run } from "./load.ts";
import { dueAlready } from "./load.ts";
import { median } from "./statistics.ts";
import type { Stage } from "./stage.ts";

/**
 * Where a figure was taken: on an engine; on ours where the queue does not matter; or on less, for what should not depend on
 * how much there is.
 */
export type Column = EngineName | "ours" | "smaller";

/** One figure, for each engine that was measured. */
export interface Figure {
  readonly row: string;
  readonly measure: string;
  readonly unit: string;
  /** One value a round. */
  readonly values: Readonly<Partial<Record<Column, readonly number[]>>>;
  readonly bar: Bar | null;
}

/** What design.md asks for, in a form that does not depend on the machine where that is possible. */
export interface Bar {
  readonly text: string;
  /** Of the ratio to the bare engine, or of the figure itself. */
  readonly of: "ratio" | "value";
  readonly isMet: (number: number) => boolean;
}

/**
 * The figure divided by that of the bare engine, or of the smaller amount, of the same round; the median of all rounds. Null where
 * there is none beside it.
 */
export function ratioOf({ values }: Figure, column: Column): number | null {
  const ratios = ratiosOf({ values }, column);
  return ratios.length === 0 ? null : median(ratios);
}

export function ratiosOf({ values }: Pick<Figure, "values">, column: Column): number[] {
  const reference = values.bare ?? values.smaller ?? [];
  return (values[column] ?? []).flatMap((value, round) => {
    const beside = reference[round];
    return beside === undefined || beside === 0 ? [] : [value / beside];
  });
}

/**
 * Publishes the same load on every engine in turn, each with processes of its own that were warmed up, and as often as the
 * options say. Every round begins with another engine, so that none always has the quiet or the busy moments.
 */
export async function takeTurns(
  stage: Stage,
  engines: readonly Engine[],
  load: Load,
  say: (line: string) => void,
): Promise<ReadonlyMap<EngineName, readonly Run[]>> {
  const runs = new Map<EngineName, Run[]>(engines.map(({ name }) => [name, []]));
  const { rounds, channels } = stage.options;
  for (let round = 0; round < rounds; round += 1) {
    for (const engine of turnsOf(engines, round)) {
      stage.signal.throwIfAborted();
      const open = await engine.open();
      try {
        await open.run(dueAlready(channels * 2, channels));
        const run = await open.run(load);
        runs.get(engine.name)?.push(run);
        const tookMs = Math.round(run.endedAt - run.startedAt);
        const line = `  round ${round + 1}, ${engine.name}: ${run.deliveries.length} in ${tookMs} ms`;
        say([line, ...run.trouble].join("; "));
      } finally {
        await open.close();
      }
    }
  }
  return runs;
}

/** In another order each round. */
export function turnsOf<T>(all: readonly T[], round: number): T[] {
  const first = round % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
}

/** One figure of every run. */
export function figureOf(
  runs: ReadonlyMap<EngineName, readonly Run[]>,
  about: Omit<Figure, "values">,
  read: (run: Run) => number,
): Figure {
  const values = Object.fromEntries([...runs].map(([name, own]) => [name, own.map(read)]));
  return { ...about, values };
}
