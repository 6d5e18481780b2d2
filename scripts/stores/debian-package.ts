import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { isReachable } from "./run-as.ts";
import type { RedisProgram } from "./redis-program.ts";

/** Where a package goes, and who is told. */
export interface PackageDownload {
  /** An absolute path. */
  readonly cacheDir: string;
  readonly say: (line: string) => void;
  /** Ends it early; that is not remembered as a failure. */
  readonly signal?: AbortSignal;
}

const run = promisify(execFile);
const PACKAGES = ["redis-server", "valkey-server"];
const TIMEOUT_MS = 30_000;
const FAILURE_REMEMBERED_MS = 24 * 3_600_000;

/**
 * The distribution's Redis or Valkey, unpacked below `cacheDir` without root and without installing anything. apt
 * checks the distribution's signature as always; its lists and files stay in the cache too.
 * Null elsewhere than on Debian and its descendants, and where the download failed within the last day.
 */
export async function unpackDebianRedis({
  cacheDir,
  say,
  signal,
}: PackageDownload): Promise<RedisProgram | null> {
  const home = path.join(cacheDir, "redis");
  const unpacked = programIn(home);
  if (unpacked !== null) return unpacked;
  if (!isDebian() || failedLately(cacheDir)) return null;

  say(
    "There is no Redis on this machine: fetching the distribution's package into the cache (once).",
  );
  const work = path.join(cacheDir, `redis-${process.pid}`);
  try {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    await download(work, signal === undefined ? timeout : AbortSignal.any([timeout, signal]));
    renameSync(path.join(work, "root"), home);
    return programIn(home);
  } catch {
    // The move fails where another start has been quicker: then its copy is there.
    const program = programIn(home);
    if (program !== null || signal?.aborted === true) return program;
    writeFileSync(failureFile(cacheDir), `${new Date().toISOString()}\n`);
    say(
      `The package could not be fetched. The next try is in a day, or after deleting ${failureFile(cacheDir)}.`,
    );
    return null;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function download(work: string, signal: AbortSignal): Promise<void> {
  for (const folder of ["lists/partial", "cache/archives/partial", "debs", "root"]) {
    mkdirSync(path.join(work, folder), { recursive: true });
  }
  const options = aptOptions(work);
  const call = { signal, cwd: path.join(work, "debs"), env: { ...process.env, LC_ALL: "C" } };
  await run("apt-get", [...options, "update"], call);
  for (const name of PACKAGES) {
    // A simulated installation names the package and what this machine lacks of its dependencies.
    const { stdout } = await run(
      "apt-get",
      [...options, "-s", "--no-install-recommends", "install", name],
      call,
    ).catch(() => ({ stdout: "" }));
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
  throw new Error("The distribution offers neither Redis nor Valkey.");
}

function aptOptions(work: string): string[] {
  const settings = {
    "Dir::State::Lists": path.join(work, "lists"),
    "Dir::Cache": path.join(work, "cache"),
    "Debug::NoLocking": "1",
    "Acquire::Languages": "none",
    "Acquire::Retries": "0",
    "Acquire::http::Timeout": "5",
    "Acquire::https::Timeout": "5",
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

function failedLately(cacheDir: string): boolean {
  const failed = statSync(failureFile(cacheDir), { throwIfNoEntry: false });
  return failed !== undefined && Date.now() - failed.mtimeMs < FAILURE_REMEMBERED_MS;
}

function failureFile(cacheDir: string): string {
  return path.join(cacheDir, "redis-unavailable");
}
