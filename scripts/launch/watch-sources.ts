import { spawn } from "node:child_process";
import { watch } from "node:fs";
import path from "node:path";
import { PROJECT_ROOT } from "../../shared/project-root.ts";

// One save changes several files: wait until they are all written.
const QUIET_MS = 250;

/**
 * Compiles whenever a source changes, and tells when new programs are there. For development.
 * @returns what ends the watching
 */
export function watchSources(onChange: () => void): () => void {
  // Not "-b": TypeScript 7.0.2 watches no files there.
  const args = ["-p", "tsconfig.json", "--watch", "--preserveWatchOutput"];
  const compiler = spawn(process.execPath, ["node_modules/@typescript/native/bin/tsc", ...args], {
    cwd: PROJECT_ROOT,
    detached: true,
    stdio: ["ignore", "inherit", "inherit"],
  });
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(path.join(PROJECT_ROOT, "dist"), { recursive: true }, (_, name) => {
    if (name === null || !name.endsWith(".js")) return;
    clearTimeout(timer);
    timer = setTimeout(onChange, QUIET_MS);
  });
  return () => {
    clearTimeout(timer);
    watcher.close();
    // With its group: the program that we started has started another, which does the work.
    if (compiler.pid !== undefined) process.kill(-compiler.pid);
  };
}
