import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import type { Registry } from "../../shared/connectors/registry.ts";
import { requirePort } from "../launch/require-port.ts";
import { createApiClient } from "./api-client.ts";
import type { DemoClock } from "./demo-clock.ts";
import { startDemoProcesses } from "./processes.ts";
import type { Company } from "./scene-player.ts";
import type { Screen } from "./screen.ts";
import { setTheStage, type Material } from "./set-the-stage.ts";
import { startSimulators } from "./simulators.ts";
import { demoDir, type DemoStores } from "./stores.ts";

export interface Assembly {
  readonly screen: Screen;
  /** Of whoever runs the demo. */
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly dataDir: string;
  readonly stores: DemoStores;
  readonly clock: DemoClock;
  readonly connectors: Registry;
  readonly material: Material;
  readonly engagementAfter: string;
  /** Gets what the end must do, latest last. */
  readonly undo: (() => unknown)[];
}

/** Starts platforms and processes, and sets the stage. */
export async function assemble(assembly: Assembly): Promise<{
  readonly company: Company;
  readonly address: string;
  readonly tokenFile: string;
}> {
  const { screen, signal, dataDir, stores, clock, material, undo } = assembly;
  const dir = demoDir(dataDir);
  const simulators = await startSimulators(assembly.connectors, () => clock.now());
  undo.push(() => simulators.close());
  const port = await requirePort("127.0.0.1", 0);
  const address = `http://127.0.0.1:${port}`;
  const adminToken = `pw_${randomBytes(24).toString("base64url")}`;
  const tokenFile = path.join(dir, "admin-token");
  writeFileSync(tokenFile, adminToken, { mode: 0o600 });
  const processes = await startDemoProcesses({
    dir,
    address,
    say: screen.say,
    signal,
    undo,
    env: {
      ...withoutSettings(assembly.env),
      ...simulators.env,
      ...settingsOf(assembly),
      PORT: String(port),
      POSTWELL_DATA_DIR: dir,
      POSTWELL_BOOTSTRAP_TOKEN: adminToken,
    },
  });
  screen.say(`  1 api and 2 workers are up\n  queue: ${stores.queueLine}`);
  const api = createApiClient(address, adminToken, signal);
  const stage = await setTheStage(api, simulators, material, screen);
  return { company: { api, simulators, stage, screen, processes }, address, tokenFile };
}

function settingsOf({ stores, engagementAfter }: Assembly): Readonly<Record<string, string>> {
  return {
    NODE_ENV: "production",
    POSTWELL_HOST: "127.0.0.1",
    DATABASE_URL: stores.databaseUrl,
    // Empty means "not set".
    REDIS_URL: stores.redisUrl ?? "",
    POSTWELL_SECRET_KEY: randomBytes(32).toString("base64"),
    POSTWELL_ALLOW_PRIVATE_HOSTS: "127.0.0.1",
    POSTWELL_LOG_LEVEL: "warn",
    // Jumps of the clock do not reach a queue that counts real seconds: it is told when something is due, not before.
    POSTWELL_HORIZON_SECONDS: "0",
    POSTWELL_POLL_MS: "15",
    POSTWELL_COMMIT_TIMEOUT_SECONDS: "3",
    POSTWELL_ENGAGEMENT_AFTER: engagementAfter,
  };
}

/** A real installation's settings must not reach the demo. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const ours = /^(POSTWELL_.*|DATABASE_URL|REDIS_URL|PORT)$/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ours.test(name)));
}
