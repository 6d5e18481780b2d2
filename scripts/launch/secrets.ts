import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/** What the processes need and nobody should have to invent. */
export interface Secrets {
  /** 32 bytes in base64. */
  readonly secretKey: string;
  readonly adminToken: string;
  /** Where a person finds the token; null when it came from the environment. */
  readonly adminTokenFile: string | null;
}

/**
 * The secrets of the environment, else those in the data folder, made on the first start.
 * @throws {Error} with the remedy, when the key is gone and sealed credentials may exist
 */
export function readSecrets(dataDir: string, environment: NodeJS.ProcessEnv): Secrets {
  const givenToken = environment["POSTWELL_BOOTSTRAP_TOKEN"] || null;
  const adminTokenFile = path.join(dataDir, "admin-token");
  return {
    secretKey: environment["POSTWELL_SECRET_KEY"] || readKey(dataDir),
    adminToken:
      givenToken ?? readOrMake(adminTokenFile, () => `pw_${randomBytes(32).toString("base64url")}`),
    adminTokenFile: givenToken === null ? adminTokenFile : null,
  };
}

function readKey(dataDir: string): string {
  const file = path.join(dataDir, "secret.key");
  // The key is written before the cluster: a cluster without a key has lost it.
  if (!existsSync(file) && existsSync(path.join(dataDir, "postgres/cluster"))) {
    throw new Error(
      `${file} is missing; it opens the stored sign-ins of the channels. Restore it from a backup or give POSTWELL_SECRET_KEY. ` +
        `If it is lost, make another (openssl rand -base64 32 > ${file}) and reconnect the channels.`,
    );
  }
  return readOrMake(file, () => randomBytes(32).toString("base64"));
}

function readOrMake(file: string, make: () => string): string {
  if (!existsSync(file)) writeFileSync(file, `${make()}\n`, { mode: 0o600, flag: "wx" });
  chmodSync(file, 0o600);
  return readFileSync(file, "utf8").trim();
}
