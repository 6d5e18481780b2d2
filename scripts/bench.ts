import { setMaxListeners } from "node:events";
import { writeFileSync } from "node:fs";
import { apiRow } from "./bench/api-row.ts";
import type { Figure } from "./bench/compare.ts";
import { memoryRow } from "./bench/memory-row.ts";
import { OptionError, readOptions, type BenchOptions } from "./bench/options.ts";
import { promoterRow } from "./bench/promoter-row.ts";
import { spikeRow, steadyRow, throughputRow } from "./bench/publishing-rows.ts";
import { queueMemoryRow } from "./bench/queue-memory-row.ts";
import { recoveryRow } from "./bench/recovery-row.ts";
import { asJson, asTable } from "./bench/report.ts";
import { scaleRow } from "./bench/scale-row.ts";
import { startRow } from "./bench/start-row.ts";
import { openStage, type Stage } from "./bench/stage.ts";

/** Measures Postwell beside the bare engine, on this machine and in the same minutes, and prints ratios. */
const ROWS = new Map([
  ["throughput", throughputRow],
  ["steady", steadyRow],
  ["spike", spikeRow],
  ["api", apiRow],
  ["promoter", promoterRow],
  ["queue", queueMemoryRow],
  ["scale", scaleRow],
  ["recovery", recoveryRow],
  ["memory", memoryRow],
  ["start", startRow],
]);

const stop = new AbortController();
// Every request of the API row listens, and there is no leak in that.
setMaxListeners(0, stop.signal);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => stop.abort());
process.once("disconnect", () => stop.abort());

try {
  const options = readOptions(process.argv.slice(2));
  const { stage, close } = await openStage(options, stop.signal, tell);
  const figures: Figure[] = [];
  try {
    await measure(stage, figures);
  } finally {
    // Whatever goes wrong in one row, what was measured before is not lost.
    if (figures.length > 0) show(options, figures);
    await close();
  }
} catch (error) {
  if (stop.signal.aborted) tell("Stopped; everything temporary is gone.");
  else if (error instanceof OptionError) tell(error.message);
  else console.error(error);
  process.exitCode = 1;
}
process.exit();

async function measure(stage: Stage, figures: Figure[]): Promise<void> {
  const wanted = stage.options.rows;
  for (const [name, row] of ROWS) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    tell(`${name}:`);
    figures.push(...(await row(stage, tell)));
  }
}

function show(options: BenchOptions, figures: readonly Figure[]): void {
  console.log(asTable(figures));
  if (options.jsonFile === null) return;
  writeFileSync(
    options.jsonFile,
    `${JSON.stringify({ options, figures: asJson(figures) }, null, 2)}\n`,
  );
}

/** Progress is for people: the table alone goes to standard output. */
function tell(line: string): void {
  console.error(line);
}
