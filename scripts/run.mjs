/**
 * Runs Postwell's commands from a fresh clone: installs when the lockfile has changed, compiles, and runs. Works without
 * any dependency, and is plain enough for an old Node to read and be told that it is too old.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const STAMP = path.join(ROOT, "node_modules/.postwell-installed");
const OLDEST_NODE = [20, 19];

const TSC = "node_modules/@typescript/native/bin/tsc";
const JEST = [
  "--experimental-vm-modules",
  "--disable-warning=ExperimentalWarning",
  "node_modules/jest/bin/jest.js",
];

/** Commands that run servers must end when we are killed; the others may not even know of a parent. */
const HAS_CHANNEL = new Set(["start", "dev", "api", "worker", "demo", "bench", "drill"]);

/** What each command runs once everything is installed and compiled. Extra arguments follow. */
const COMMANDS = {
  start: ["dist/scripts/start.js"],
  dev: ["dist/scripts/start.js", "--watch"],
  test: JEST,
  check: ["scripts/check.mjs"],
  demo: ["dist/scripts/demo.js"],
  bench: ["dist/scripts/bench.js"],
  drill: ["dist/scripts/drill.js"],
  api: ["--enable-source-maps", "dist/api/main.js"],
  worker: ["--enable-source-maps", "dist/worker/main.js"],
  token: ["dist/scripts/token.js"],
  migrate: ["dist/scripts/migrate.js"],
};

main();

function main() {
  const [command, ...args] = process.argv.slice(2);
  if (isNodeTooOld()) {
    stopWith(
      `Postwell needs Node ${OLDEST_NODE.join(".")} or newer; this is ${process.versions.node}. Install the current LTS from https://nodejs.org and try again.`,
    );
  }
  if (!Object.keys(COMMANDS).includes(command)) {
    stopWith(
      `Usage: node scripts/run.mjs <command>\nCommands: ${Object.keys(COMMANDS).join(", ")}`,
    );
  }
  installIfNeeded();
  // `check` compiles as one of its steps, so that one run tells everything that is wrong.
  if (command !== "check") compile();
  run([...COMMANDS[command], ...args], HAS_CHANNEL.has(command));
}

function isNodeTooOld() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  return major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
}

function installIfNeeded() {
  const wanted = createHash("sha256")
    .update(readFileSync(path.join(ROOT, "package-lock.json")))
    .update([process.version, process.platform, process.arch].join(" "))
    .digest("hex");
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted) return;

  requireWritable(ROOT);
  if (existsSync(path.join(ROOT, "node_modules"))) requireWritable(path.join(ROOT, "node_modules"));
  console.error("Installing the dependencies (once; it takes up to a minute).");
  const { status, error } = npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
  if (error && error.code === "ENOENT") {
    stopWith(
      "npm was not found. Install Node together with npm from https://nodejs.org and try again.",
    );
  }
  if (status !== 0) {
    stopWith(
      "The dependencies could not be installed: npm tells why above. Is the npm registry reachable?",
    );
  }
  writeFileSync(STAMP, wanted);
}

/** The npm that called us, else the one on PATH. */
function npm(args) {
  const caller = process.env.npm_execpath || "";
  // Installation belongs on standard error: a command's own output may be read by a program.
  const options = { cwd: ROOT, stdio: ["ignore", 2, 2] };
  if (path.basename(caller).startsWith("npm-cli")) {
    return spawnSync(process.execPath, [caller, ...args], options);
  }
  const isWindows = process.platform === "win32";
  return spawnSync(isWindows ? "npm.cmd" : "npm", args, { ...options, shell: isWindows });
}

function requireWritable(folder) {
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    stopWith(
      `The dependencies cannot be installed: no permission to write ${folder}. Give this user the folder (chown -R), or clone Postwell as this user.`,
    );
  }
}

function compile() {
  const { status } = spawnSync(process.execPath, [TSC, "-b"], {
    cwd: ROOT,
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) stopWith("Postwell does not compile: the errors are above.");
}

function run(args, hasChannel) {
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    // As npm sets it: where the person is, for paths that are shown.
    env: { ...process.env, INIT_CWD: process.env.INIT_CWD || process.cwd() },
    // Its closing tells that we were killed without a chance to pass the signal on.
    stdio: ["inherit", "inherit", "inherit", ...(hasChannel ? ["ipc"] : [])],
  });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  stopWithNpm(child);
  child.on("error", (error) => stopWith(`It could not be started: ${error.message}`));
  child.on("exit", (code, signal) => {
    if (signal !== null) console.error(`It was ended by ${signal}.`);
    process.exit(signal === null ? code : 1);
  });
}

/** npm and its shell may end without telling us, by `kill` for one: we see that those above us have changed. */
function stopWithNpm(child) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const above = ancestors();
  const timer = setInterval(() => {
    if (ancestors() !== above) child.kill("SIGTERM");
  }, 500);
  timer.unref();
}

/** The shell that npm runs us in and, where the system tells it cheaply, npm itself. */
function ancestors() {
  try {
    const [, parent] = readFileSync(`/proc/${process.ppid}/stat`, "utf8").split(/\) \S /);
    return `${process.ppid} ${parent.split(" ")[0]}`;
  } catch {
    return String(process.ppid);
  }
}

function stopWith(sentence) {
  console.error(sentence);
  process.exit(1);
}
