import { explain } from "./launch/explain.ts";
import { launch } from "./launch/launch.ts";

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());
// The end of a terminal ends run.mjs, which reaches us as "disconnect"; nohup spares both of us.
process.on("SIGHUP", () => (process.connected ? undefined : stop.abort()));
process.once("disconnect", () => stop.abort());
// A terminal that has gone away is no reason to leave the stores running.
process.stdout.on("error", () => stop.abort());
process.stderr.on("error", () => stop.abort());

try {
  await launch({
    isDevelopment: process.argv.includes("--watch"),
    say: (line) => console.log(line),
    signal: stop.signal,
  });
} catch (error) {
  if (!stop.signal.aborted) {
    console.error(explain(error));
    process.exitCode = 1;
  }
}
process.exit();
