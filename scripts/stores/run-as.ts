import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import os from "node:os";
import path from "node:path";

/** How to start a server that refuses to run as root. */
export interface RunAs {
  /** Put before the command. */
  readonly prefix: readonly string[];
  /** For `spawn`; null keeps the current user. */
  readonly user: { readonly uid: number; readonly gid: number } | null;
  /** Who must own the server's files, as seen from outside; null when nothing needs changing. */
  readonly ownerUid: number | null;
}

const NOBODY = 65534;
// An account that every system has a name for: initdb asks for it.
const MAPPED = ["unshare", "--user", `--map-user=${NOBODY}`, `--map-group=${NOBODY}`];
// The one capability that lets the account reach files below a closed folder such as root's home. The secure bit keeps
// it in force for access(2) too, by which PostgreSQL looks for its own program.
const REACHING = [
  "setpriv",
  `--reuid=${NOBODY}`,
  `--regid=${NOBODY}`,
  "--clear-groups",
  "--inh-caps=+dac_override",
  "--ambient-caps=+dac_override",
  "--securebits=+no_setuid_fixup",
];

/**
 * Chooses an account: ourselves, unless we are root. Then the folder's owner if that is an ordinary user; `nobody` where
 * the account can reach both paths; root seen as another user; `nobody` with the right to reach closed folders.
 * @throws {Error} with a remedy, when root has none of these
 */
export function chooseRunAs(program: string, dir: string): RunAs {
  if (process.getuid?.() !== 0) return { prefix: [], user: null, ownerUid: null };
  const owner = statSync(dir);
  if (owner.uid !== 0 && owner.uid !== NOBODY) {
    return { prefix: [], user: { uid: owner.uid, gid: owner.gid }, ownerUid: owner.uid };
  }
  if (isReachable(program) && isReachable(dir)) {
    return { prefix: [], user: { uid: NOBODY, gid: NOBODY }, ownerUid: NOBODY };
  }
  if (works(MAPPED)) return { prefix: MAPPED, user: null, ownerUid: 0 };
  if (works(REACHING)) return { prefix: REACHING, user: null, ownerUid: NOBODY };
  throw new Error(
    "PostgreSQL refuses to run as root, and no other account can reach this folder. Clone Postwell outside a " +
      "private home folder (for example below /opt), run it as an ordinary user, or set DATABASE_URL.",
  );
}

/**
 * The same account under a name, which initdb asks for: containers run as users that no file of theirs names.
 * @throws {Error} with a remedy, where it has none and none can be lent
 */
export function withName(runAs: RunAs): RunAs {
  if (runAs.prefix.length > 0 || runAs.user !== null || hasName()) return runAs;
  if (works(MAPPED)) return { ...runAs, prefix: MAPPED };
  throw new Error(
    `PostgreSQL cannot be set up by user ${process.getuid?.()}, as /etc/passwd has no name for it. Run Postwell as a user ` +
      "that has one, or set DATABASE_URL.",
  );
}

function hasName(): boolean {
  try {
    return os.userInfo().username !== "";
  } catch {
    return false;
  }
}

/** Hands a server's files to the account that it runs as. */
export function giveFiles(dir: string, { ownerUid }: RunAs): void {
  const owner = statSync(dir);
  if (ownerUid === null || owner.uid === ownerUid) return;
  spawnSync("chown", ["-R", `${ownerUid}:${ownerUid}`, dir]);
}

/** Whether every user of the machine may pass through all folders down to this path. */
export function isReachable(target: string): boolean {
  for (let at = path.resolve(target); ; at = path.dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === path.dirname(at)) return true;
  }
}

function works(prefix: readonly string[]): boolean {
  const [command = "", ...args] = prefix;
  return spawnSync(command, [...args, "true"], { stdio: "ignore" }).status === 0;
}
