import { openScreen } from "./demo/screen.ts";
import { runDemo } from "./demo/run-demo.ts";
import { explain } from "./launch/explain.ts";

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => stop.abort());
}
process.once("disconnect", () => stop.abort());
// A terminal that has gone away is no reason to leave the stores running.
process.stdout.on("error", () => stop.abort());

const screen = openScreen(process.stdout, process.env);
const options = process.argv.slice(2);
if (options.some((option) => option !== "--keep")) {
  console.error("Usage: npm run demo [-- --keep]\n--keep leaves everything up until Ctrl-C.");
  process.exit(1);
}

try {
  const isKept = options.includes("--keep");
  const isWell = await runDemo({ screen, env: process.env, isKept, signal: stop.signal });
  if (!isWell) process.exitCode = 1;
} catch (error) {
  screen.say(stop.signal.aborted ? "Stopped; everything of the demo is gone." : explain(error));
  process.exitCode = 1;
}
process.exit();
