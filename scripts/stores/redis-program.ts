import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { unpackDebianRedis } from "./debian-package.ts";
import type { PackageDownload } from "./debian-package.ts";

/** A Redis or Valkey server program. */
export interface RedisProgram {
  readonly command: string;
  /** What it needs in its environment to find its libraries. */
  readonly env: Readonly<Record<string, string>>;
  /** For people: where it came from. */
  readonly origin: string;
}

const NAMES = ["redis-server", "valkey-server"];
// Where package managers put servers, also when a service manager's PATH leaves those folders out.
const USUAL_FOLDERS = [
  "/opt/homebrew/bin",
  "/usr/local/bin",
  "/usr/local/sbin",
  "/usr/bin",
  "/usr/sbin",
];
/** Source: https://docs.bullmq.io/guide/redis-tm-compatibility (read 2026-11-22). */
const OLDEST_VERSION = [6, 2] as const;

/**
 * A server program of this machine; else, on Debian and Ubuntu, the distribution's own package unpacked below
 * the cache; null where neither can be had.
 */
export async function findRedisProgram(download: PackageDownload): Promise<RedisProgram | null> {
  const folders = [...(process.env["PATH"] ?? "").split(path.delimiter), ...USUAL_FOLDERS];
  for (const command of NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name)))) {
    const program = { command, env: {}, origin: command };
    if (isExecutable(command) && isRecentEnough(program)) return program;
  }
  const unpacked = await unpackDebianRedis(download);
  return unpacked !== null && isRecentEnough(unpacked) ? unpacked : null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return path.isAbsolute(file);
  } catch {
    return false;
  }
}

function isRecentEnough({ command, env }: RedisProgram): boolean {
  const { stdout } = spawnSync(command, ["--version"], {
    encoding: "utf8",
    timeout: 5000,
    env: { ...process.env, ...env },
  });
  const [, major = 0, minor = 0] = (/ v=(\d+)\.(\d+)/.exec(stdout ?? "") ?? []).map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_VERSION;
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}
