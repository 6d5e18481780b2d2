import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import { Client } from "pg";
import { ensureDatabase, startPostgres } from "../../scripts/stores/postgres.ts";
import type { PrivateStore } from "../../scripts/stores/private-store.ts";
import { inspectProcess, stopProcess, usablePort } from "../../scripts/stores/processes.ts";
import { startRedis } from "../../scripts/stores/redis.ts";
import { checkDatabase, checkRedis } from "../../shared/stores.ts";
import { PROJECT_ROOT } from "../../shared/project-root.ts";
import { describeWithRedis } from "../support/queue-modes.ts";

const KILLED = [{ signal: "SIGKILL", waitMs: 5_000 }] as const;
const dir = mkdtempSync(path.join(tmpdir(), "postwell-stores-"));
const stores: PrivateStore[] = [];

afterAll(async () => {
  for (const store of stores) await store.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe("the private PostgreSQL", () => {
  const home = path.join(dir, "postgres");
  let first: PrivateStore;

  beforeAll(async () => {
    first = await openPostgres();
  });

  test("speaks UTF-8 and UTC, and asks for its password", async () => {
    const facts = await query(
      first.url,
      "select current_setting('server_encoding') as encoding, current_setting('timezone') as zone",
    );

    expect(facts).toEqual([{ encoding: "UTF8", zone: "UTC" }]);
    await expect(checkDatabase(withParts(first.url, { password: "wrong" }))).rejects.toThrow(
      /refuses the sign-in/,
    );
  });

  test("is adopted by the next start, and its databases are made once", async () => {
    await ensureDatabase(first.url, "kept");

    const second = await openPostgres();

    expect(second).toMatchObject({ wasRunning: true, pid: first.pid, url: first.url });
    expect(await ensureDatabase(second.url, "kept")).toBe(
      withParts(second.url, { pathname: "/kept" }),
    );
  });

  test("loses no committed row when it is killed", async () => {
    await query(first.url, "create table kept as select 7 as n");
    await stopProcess(first.pid, KILLED);

    const second = await openPostgres();

    expect(second.wasRunning).toBe(false);
    expect(await query(second.url, "select n from kept")).toEqual([{ n: 7 }]);
  });

  test("starts although the pid that it left behind is another program's now", async () => {
    const running = await openPostgres();
    await stopProcess(running.pid, KILLED);
    writeFileSync(path.join(home, "cluster/postmaster.pid"), `${process.pid}\n`);

    const next = await openPostgres();

    expect(next.wasRunning).toBe(false);
    expect(inspectProcess(process.pid)).not.toBeNull();
  });

  test("stops, and stopping twice is no mistake", async () => {
    const running = await openPostgres();

    await running.stop();
    await running.stop();

    expect(inspectProcess(running.pid)).toBeNull();
  });

  test("says so when the password of an existing cluster is gone", async () => {
    await (await openPostgres()).stop();
    rmSync(path.join(home, "settings.json"));

    await expect(startPostgres({ dir: home })).rejects.toThrow(/settings.json is missing/);
  });

  async function openPostgres(): Promise<PrivateStore> {
    const store = await startPostgres({ dir: home });
    stores.push(store);
    return store;
  }
});

describe("a PostgreSQL of somebody else", () => {
  const given = String(process.env["POSTWELL_TEST_DATABASE_URL"]);

  test("is accepted when it is fit", async () => {
    await expect(checkDatabase(given)).resolves.toBeUndefined();
  });

  test("is refused without its password in the sentence, when nobody answers there", async () => {
    const port = await usablePort(0);
    const refused = checkDatabase(`postgres://someone:hush@127.0.0.1:${port}/x`);

    await expect(refused).rejects.toMatchObject({
      kind: "unreachable",
      message: expect.stringMatching(/^DATABASE_URL: .*connection refused.*Start it/),
    });
    await expect(refused).rejects.toMatchObject({ message: expect.not.stringContaining("hush") });
  });

  test("is refused when it has no such database", async () => {
    await expect(checkDatabase(withParts(given, { pathname: "/nowhere" }))).rejects.toMatchObject({
      kind: "unfit",
      message: expect.stringContaining("Create it"),
    });
  });

  test("is refused when the database cannot hold every character", async () => {
    await query(given, "create database narrow template template0 encoding 'SQL_ASCII' locale 'C'");

    await expect(checkDatabase(withParts(given, { pathname: "/narrow" }))).rejects.toMatchObject({
      kind: "unfit",
      message: expect.stringContaining("SQL_ASCII"),
    });
    await query(given, "drop database narrow");
  });
});

test("a Redis that does not answer is refused with the way to do without", async () => {
  const port = await usablePort(0);

  await expect(checkRedis(`redis://:hush@127.0.0.1:${port}`)).rejects.toMatchObject({
    kind: "unreachable",
    message: expect.stringMatching(/^REDIS_URL: .*connection refused.*POSTWELL_QUEUE=direct/),
  });
});

describeWithRedis("the private Redis", () => {
  test("is adopted by the next start, and keeps what it holds when it is stopped", async () => {
    const first = await openRedis();
    const client = new Redis(first.url);
    await client.set("kept", "7");
    client.disconnect();

    const second = await openRedis();
    expect(second).toMatchObject({ wasRunning: true, pid: first.pid });
    await second.stop();

    const third = await openRedis();
    const again = new Redis(third.url);
    expect(third.wasRunning).toBe(false);
    expect(await again.get("kept")).toBe("7");
    again.disconnect();
  });

  test("is fit for a queue, until it may evict", async () => {
    const { url } = await openRedis();
    await expect(checkRedis(url)).resolves.toBeUndefined();

    const client = new Redis(url);
    await client.config("SET", "maxmemory-policy", "allkeys-lru");
    client.disconnect();

    await expect(checkRedis(url)).rejects.toMatchObject({
      kind: "unfit",
      message: expect.stringMatching(/allkeys-lru.*noeviction/),
    });
  });

  test("asks for its password", async () => {
    const { url } = await openRedis();

    await expect(checkRedis(withParts(url, { password: "wrong" }))).rejects.toMatchObject({
      kind: "unfit",
      message: expect.stringContaining("refuses the sign-in"),
    });
  });

  async function openRedis(): Promise<PrivateStore> {
    const cacheDir = path.join(PROJECT_ROOT, "data/cache");
    const store = await startRedis({
      dir: path.join(dir, "redis"),
      cacheDir,
      say: () => undefined,
    });
    if (store === null) throw new Error("There was a Redis for the set-up, and now there is none.");
    stores.push(store);
    return store;
  }
});

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<Record<string, unknown>>(sql);
  await client.end();
  return rows;
}

function withParts(url: string, parts: { password?: string; pathname?: string }): string {
  return Object.assign(new URL(url), parts).href;
}
