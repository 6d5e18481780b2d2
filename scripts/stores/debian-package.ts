import { execFile } from "node:child_process";
import type { ExecFileOptions } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { aptFailureOf, explainApt, recentFailure, rememberFailure } from "./apt-failure.ts";
import { isReachable } from "./run-as.ts";
import type { RedisProgram } from "./redis-program.ts";

/** Where a package goes, and who is told. */
export interface PackageDownload {
  /** An absolute path. */
  readonly cacheDir: string;
  readonly say: (line: string) => void;
  /** Ends it early; that is not remembered as a failure. */
  readonly signal?: AbortSignal;
  /** How long one command may take. */
  readonly limitMs?: number;
}

const run = promisify(execFile);
const PACKAGES = ["redis-server", "valkey-server"];
/** For each command of apt: reading the lists alone takes half a minute where a machine is busy. */
const LIMIT_MS = 120_000;

/**
 * The distribution's Redis or Valkey, unpacked below `cacheDir` without root and without installing anything. apt
 * checks the distribution's signature as always; its lists and files stay in the cache too.
 * Null elsewhere than on Debian and its descendants, and where it failed: soon tried again if that may pass, in a day if not.
 */
export async function unpackDebianRedis({
  cacheDir,
  say,
  signal,
  limitMs = LIMIT_MS,
}: PackageDownload): Promise<RedisProgram | null> {
  const home = path.join(cacheDir, "redis");
  const unpacked = programIn(home);
  if (unpacked !== null) return unpacked;
  if (!isDebian()) return null;
  const failure = recentFailure(cacheDir);
  if (failure !== null) {
    say(couldNot(failure));
    return null;
  }

  say(
    "There is no Redis on this machine: fetching the distribution's package into the cache (once).",
  );
  const work = path.join(cacheDir, `redis-${process.pid}`);
  try {
    await download(work, { timeout: limitMs, ...(signal === undefined ? {} : { signal }) });
    renameSync(path.join(work, "root"), home);
    return programIn(home);
  } catch (error) {
    // The move fails where another start has been quicker: then its copy is there.
    const program = programIn(home);
    if (program !== null || signal?.aborted === true) return program;
    say(couldNot(rememberFailure(cacheDir, explainApt(error))));
    return null;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function couldNot(why: string): string {
  return `The distribution's package of Redis could not be fetched: ${why}`;
}

async function download(
  work: string,
  limits: { readonly timeout: number; readonly signal?: AbortSignal },
): Promise<void> {
  for (const folder of ["lists/partial", "cache/archives/partial", "debs", "root"]) {
    mkdirSync(path.join(work, folder), { recursive: true });
  }
  const options = aptOptions(work);
  const call = { ...limits, cwd: path.join(work, "debs"), env: { ...process.env, LC_ALL: "C" } };
  const update = await run("apt-get", [...options, "update"], call);
  const complaints: string[] = [];
  for (const name of PACKAGES) {
    const { stdout, stderr } = await simulate(name, options, call);
    complaints.push(stderr);
    const wanted = [...stdout.matchAll(/^Inst (\S+)/gm)].flatMap(([, found]) => found ?? []);
    // Another C library than the machine's own would break the program, not help it.
    const fetched = wanted.filter((found) => !/^libc6?(-bin)?$/.test(found));
    if (!fetched.includes(name)) continue;
    await run("apt-get", [...options, "download", ...fetched], call);
    for (const file of readdirSync(call.cwd)) {
      await run("dpkg", ["-x", file, path.join(work, "root")], call);
    }
    return;
  }
  // Lists that could not be fetched are no failure to apt, but why it knows no package.
  throw Object.assign(new Error("No package."), {
    stderr: [update.stderr, ...complaints].join("\n"),
  });
}

/** A simulated installation names the package and what this machine lacks of its dependencies. */
async function simulate(
  name: string,
  options: readonly string[],
  call: ExecFileOptions,
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const args = [...options, "-s", "--no-install-recommends", "install", name];
  try {
    const { stdout, stderr } = await run("apt-get", args, { ...call, encoding: "utf8" });
    return { stdout, stderr };
  } catch (error) {
    const failure = aptFailureOf(error);
    // Not to know a package is an answer.
    if (failure.isCutOff || failure.code === "ENOENT") throw error;
    return { stdout: "", stderr: failure.stderr };
  }
}

function aptOptions(work: string): string[] {
  const settings = {
    "Dir::State::Lists": path.join(work, "lists"),
    "Dir::Cache": path.join(work, "cache"),
    "Debug::NoLocking": "1",
    "Acquire::Languages": "none",
    "Acquire::Retries": "0",
    "Acquire::http::Timeout": "20",
    "Acquire::https::Timeout": "20",
    // As root apt works as another account, which cannot reach folders below root's home.
    ...(isReachable(work) ? {} : { "APT::Sandbox::User": "root" }),
  };
  return Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
}

function programIn(home: string): RedisProgram | null {
  for (const name of PACKAGES) {
    const command = path.join(home, "usr/bin", name);
    if (existsSync(command)) {
      const env = { LD_LIBRARY_PATH: libraryFolders(home).join(":") };
      return { command, env, origin: `${name} of the distribution, in ${home}` };
    }
  }
  return null;
}

/** `usr/lib` and `lib`, and in them the folder of the machine's architecture, such as `usr/lib/x86_64-linux-gnu`. */
function libraryFolders(home: string): string[] {
  const parents = ["usr/lib", "lib"].map((folder) => path.join(home, folder)).filter(existsSync);
  const inner = parents.flatMap((parent) =>
    readdirSync(parent).map((name) => path.join(parent, name)),
  );
  return [...inner.filter((folder) => folder.includes("-linux-gnu")), ...parents];
}

function isDebian(): boolean {
  if (process.platform !== "linux" || !existsSync("/etc/os-release")) return false;
  const release = readFileSync("/etc/os-release", "utf8");
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release);
}
