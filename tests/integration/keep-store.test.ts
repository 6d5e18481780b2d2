import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import { Client } from "pg";
import { keepStore, type KeptStore } from "../../scripts/launch/keep-store.ts";
import { startPostgres } from "../../scripts/stores/postgres.ts";
import type { PrivateStore } from "../../scripts/stores/private-store.ts";
import { stopProcess } from "../../scripts/stores/processes.ts";
import { startRedis } from "../../scripts/stores/redis.ts";
import { PROJECT_ROOT } from "../../shared/project-root.ts";
import { describeWithRedis } from "../support/queue-modes.ts";

const KILLED = [{ signal: "SIGKILL", waitMs: 5_000 }] as const;
const home = mkdtempSync(path.join(tmpdir(), "postwell-keep-"));
const postgresDir = path.join(home, "postgres");
let kept: KeptStore | null = null;

afterEach(() => kept?.stop());
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** What it says first, or what it is lost for. */
function keep(store: PrivateStore, again: () => Promise<PrivateStore | null>): Promise<string> {
  return new Promise((resolve, reject) => {
    kept = keepStore(store, { name: "It", again, say: resolve, onLoss: reject });
  });
}

test("a PostgreSQL that is killed is back at the same place with its rows", async () => {
  const again = () => startPostgres({ dir: postgresDir });
  const store = await again();
  // A session that is open while its server is killed outlives it for a moment.
  const client = new Client({ connectionString: store.url });
  client.on("error", () => undefined);
  await client.connect();
  await client.query("create table kept as select 7 as n");
  const said = keep(store, again);

  await stopProcess(store.pid, KILLED);

  expect(await said).toMatch(/^It had ended; it runs again.*Nothing is lost/);
  expect(await rowsOf(store.url)).toEqual([{ n: 7 }]);
});

test("a PostgreSQL that cannot be brought back is told as lost, with the reason", async () => {
  const store = await startPostgres({ dir: postgresDir });
  const said = keep(store, () => startPostgres({ dir: postgresDir }));
  rmSync(path.join(postgresDir, "settings.json"));

  await stopProcess(store.pid, KILLED);

  await expect(said).rejects.toThrow(/settings.json is missing.*Restore it/);
});

describeWithRedis("a private Redis", () => {
  test("that is killed is back at the same place", async () => {
    const cacheDir = path.join(PROJECT_ROOT, "data/cache");
    const again = () =>
      startRedis({ dir: path.join(home, "redis"), cacheDir, say: () => undefined });
    const store = await again();
    if (store === null) throw new Error("There was a Redis for the set-up, and now there is none.");
    const said = keep(store, again);

    await stopProcess(store.pid, KILLED);

    expect(await said).toMatch(/it runs again/);
    const client = new Redis(store.url);
    expect(await client.ping()).toBe("PONG");
    client.disconnect();
  });
});

async function rowsOf(url: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<Record<string, unknown>>("select n from kept");
  await client.end();
  return rows;
}
