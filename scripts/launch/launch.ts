import { mkdirSync } from "node:fs";
import { once } from "node:events";
import path from "node:path";
import { readConfig } from "../../shared/config.ts";
import { migrate } from "../../shared/db/migrate.ts";
import { PROJECT_ROOT } from "../../shared/project-root.ts";
import { announce } from "./announce.ts";
import { awaitReady, isTokenAccepted } from "./await-ready.ts";
import { announceEnd, awaitEnd, endLeftovers, hasLeftovers, lockDataDir } from "./launcher-lock.ts";
import { openStores } from "./open-stores.ts";
import type { OpenStores } from "./open-stores.ts";
import { requirePort } from "./require-port.ts";
import { runProcesses } from "./run-processes.ts";
import { readSecrets } from "./secrets.ts";
import type { Secrets } from "./secrets.ts";
import { watchSources } from "./watch-sources.ts";

export interface Launch {
  /** Compiles and restarts whenever a source changes. */
  readonly isDevelopment: boolean;
  readonly say: (line: string) => void;
  /** Aborted to stop everything. */
  readonly signal: AbortSignal;
}

const READY_TIMEOUT_MS = 60_000;

/**
 * Runs all of Postwell on this machine until the signal: stores, migrations, api and worker. Stops in reverse.
 * @throws {Error} one sentence with the remedy, when it cannot start
 */
export async function launch({ isDevelopment, say, signal }: Launch): Promise<void> {
  const dataDir = path.resolve(PROJECT_ROOT, process.env["POSTWELL_DATA_DIR"] || "data");
  const undo: (() => unknown)[] = [];
  try {
    mkdirSync(dataDir, { recursive: true });
    await awaitEnd(dataDir, say);
    undo.push(lockDataDir(dataDir));
    signal.addEventListener("abort", () => announceEnd(dataDir), { once: true });
    const { lost } = await start({ isDevelopment, say, signal, dataDir, undo });
    if (!signal.aborted) await Promise.race([once(signal, "abort"), lost]);
    say("Stopping.");
  } finally {
    for (const step of undo.toReversed()) {
      try {
        await step();
      } catch (error) {
        // The next step must be taken all the same.
        say(`This could not be stopped properly: ${String(error)}`);
      }
    }
  }
}

interface Start extends Launch {
  readonly dataDir: string;
  /** Gets what the end must do, latest last. */
  readonly undo: (() => unknown)[];
}

async function start({ isDevelopment, say, signal, dataDir, undo }: Start): Promise<OpenStores> {
  const startedMs = performance.now();
  const secrets = readSecrets(dataDir, process.env);
  // Whatever is wrong with the settings is told before anything starts; the stores' addresses come later.
  const config = readConfig(environment(secrets, { ...PENDING, ...onlyGiven(process.env) }));
  if (hasLeftovers(dataDir)) say("Waiting for the processes of an earlier start to end.");
  await endLeftovers(dataDir);
  const port = await requirePort(config.host, config.port);

  const stores = await openStores({
    dataDir,
    databaseUrl: process.env["DATABASE_URL"] || null,
    redisUrl: process.env["REDIS_URL"] || null,
    queue: config.queue,
    say,
    signal,
  });
  undo.push(() => stores.stop());
  signal.throwIfAborted();
  await migrate(stores.databaseUrl);
  signal.throwIfAborted();

  const logDir = isDevelopment ? null : path.join(dataDir, "logs");
  const processes = runProcesses({
    dataDir,
    logDir,
    say,
    env: environment(secrets, {
      NODE_ENV: isDevelopment ? "development" : "production",
      PORT: String(port),
      POSTWELL_DATA_DIR: dataDir,
      DATABASE_URL: stores.databaseUrl,
      // Empty means "not set".
      REDIS_URL: stores.redisUrl ?? "",
    }),
  });
  undo.push(() => processes.stop());
  const local = `http://${isEverywhere(config.host) ? "127.0.0.1" : config.host}:${port}`;
  await Promise.race([awaitReady(local, READY_TIMEOUT_MS, signal), processes.brokenOff]);
  processes.settle();
  if (isDevelopment) undo.push(watchSources(() => processes.restart()));
  const shown = isEverywhere(config.host) ? `http://localhost:${port}` : local;
  const accepted = await isTokenAccepted(local, secrets.adminToken);
  const tookMs = performance.now() - startedMs;
  const { adminTokenFile } = secrets;
  say(
    announce({ address: shown, tookMs, stores, adminTokenFile, isTokenAccepted: accepted, logDir }),
  );
  return stores;
}

/** In the place of addresses that are known only once the stores run. */
const PENDING = { DATABASE_URL: "postgres://pending", REDIS_URL: "redis://pending" };

function environment(secrets: Secrets, more: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...process.env,
    POSTWELL_SECRET_KEY: secrets.secretKey,
    POSTWELL_BOOTSTRAP_TOKEN: secrets.adminToken,
    ...more,
  };
}

function onlyGiven({ DATABASE_URL, REDIS_URL }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...(DATABASE_URL ? { DATABASE_URL } : {}), ...(REDIS_URL ? { REDIS_URL } : {}) };
}

function isEverywhere(host: string): boolean {
  return ["0.0.0.0", "::", "localhost", "127.0.0.1"].includes(host);
}
