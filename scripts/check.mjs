/** All checks that need no database, one after the other; every failure is told, not only the first. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const TSC = "node_modules/@typescript/native/bin/tsc";

const PRETTIER = "node_modules/prettier/bin/prettier.cjs";
const OXLINT = "node_modules/oxlint/bin/oxlint";
const JEST = [
  "--experimental-vm-modules",
  "--disable-warning=ExperimentalWarning",
  "node_modules/jest/bin/jest.js",
];
// The architecture tests read sources alone: given addresses keep the set-up from starting servers.
const NO_STORES = {
  POSTWELL_TEST_DATABASE_URL: "postgres://unused",
  POSTWELL_TEST_REDIS_URL: "redis://unused",
};

const STEPS = [
  { name: "format", args: [PRETTIER, "--check", "--log-level=warn", "."] },
  { name: "lint", args: [OXLINT, "--type-aware", "--deny-warnings"] },
  { name: "types", args: [TSC, "-b"] },
  { name: "types of the tests", args: [TSC, "-p", "tests"] },
  { name: "dead code", args: ["node_modules/knip/bin/knip.js"] },
  { name: "lockfile", args: ["scripts/check-lock.mjs"] },
  { name: "layers", args: [...JEST, "tests/architecture"], env: NO_STORES },
];

const failed = STEPS.filter(({ name, args, env = {} }) => {
  const startedMs = performance.now();
  const { status } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`${status === 0 ? "ok    " : "FAILED"}  ${name} (${seconds} s)`);
  return status !== 0;
}).map(({ name }) => name);

console.log(failed.length === 0 ? "All checks passed." : `Failed: ${failed.join(", ")}.`);
process.exitCode = failed.length === 0 ? 0 : 1;
