import { readOptions, USAGE, type DrillOptions } from "./drill/options.ts";
import { runDrill } from "./drill/run-drill.ts";

/** Publishes through everything that can go wrong, and tells whether anything was lost, doubled, early or forbidden. */
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => stop.abort());
process.once("disconnect", () => stop.abort());

const options = optionsOrUsage();
if (options === null) process.exit(1);
try {
  const { wrongs, report } = await runDrill(options, stop.signal, tell);
  console.log(report);
  console.log(wrongs.length === 0 ? "Nothing went wrong." : `${wrongs.length} things went wrong.`);
  process.exitCode = wrongs.length === 0 ? 0 : 1;
} catch (error) {
  if (stop.signal.aborted) tell("Stopped; everything temporary is gone.");
  else console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exitCode = 1;
}
process.exit();

/** Progress is for people: the result alone goes to standard output. */
function tell(line: string): void {
  console.error(line);
}

/** Null where what was asked for makes no sense; then that was said. */
function optionsOrUsage(): DrillOptions | null {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return null;
  }
}
