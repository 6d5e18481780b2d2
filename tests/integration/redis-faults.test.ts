import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { PrivateStore } from "../../scripts/stores/private-store.ts";
import { startRedis } from "../../scripts/stores/redis.ts";
import type { Simulator } from "../../shared/connectors/simulator.ts";
import { PROJECT_ROOT } from "../../shared/project-root.ts";
import { queueName, QUEUE_PREFIX } from "../../shared/queue-layout.ts";
import type { RunningWorker } from "../../worker/worker.ts";
import { startApi, type ApiClient, type TestApi } from "../support/api-client.ts";
import type { TestContext } from "../support/context.ts";
import { startProxy, type Proxy } from "../support/proxy.ts";
import {
  aConnectedChannel,
  contextWith,
  eventually,
  startSimulatorOf,
  startWorkers,
} from "../support/publishing.ts";
import { describeWithRedis } from "../support/queue-modes.ts";

const noon = new Date("2027-02-05T12:00:00Z");
const LANE = queueName({ job: "publish-channel", lane: "sandbox" });

/** Makes the queue useless for publishing. @returns how to end that */
type Fault = () => Promise<() => Promise<unknown>>;

// Servers of its own: what is done to them here would disturb every other suite.
describeWithRedis("while Redis", () => {
  const dir = mkdtempSync(path.join(tmpdir(), "postwell-redis-faults-"));
  const stores: PrivateStore[] = [];
  let proxy: Proxy;
  let redis: Redis;
  let simulator: Simulator;
  let stack: TestContext;
  let api: TestApi;
  let client: ApiClient;
  let channelId: string;
  let workers: readonly RunningWorker[] = [];
  let heal: () => Promise<unknown> = () => Promise.resolve();

  beforeAll(async () => {
    const server = await aServer("first");
    redis = connect(server.url);
    proxy = await startProxy(server.url);
    simulator = await startSimulatorOf("sandbox", { now: () => stack.context.now() });
    const settings = { REDIS_URL: proxy.url, POSTWELL_HORIZON_SECONDS: "1" };
    stack = await contextWith({ sandbox: simulator }, settings);
    await stack.setClock(noon);
    api = await startApi(stack.context);
    client = await api.signIn();
    const account = simulator.account("heart");
    channelId = (await aConnectedChannel(stack, client.actor, "sandbox", account)).id;
    workers = await startWorkers(stack, 2);
  });
  afterEach(async () => {
    await heal();
  });
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    await api.close();
    await stack.close();
    await simulator.close();
    redis.disconnect();
    await proxy.close();
    for (const store of stores) await store.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  async function aServer(name: string): Promise<PrivateStore> {
    const cacheDir = path.join(PROJECT_ROOT, "data/cache");
    const options = {
      dir: path.join(dir, name),
      cacheDir,
      isThrowAway: true,
      say: () => undefined,
    };
    const store = await startRedis(options);
    if (!store) throw new Error("There was a Redis for the set-up, and now there is none.");
    stores.push(store);
    return store;
  }
  const delivers = (isSo: boolean) =>
    eventually(
      () => Promise.resolve(workers.map((worker) => worker.isQueueHealthy())),
      (all) => all.every((one) => one === isSo),
    );
  async function planned(text: string): Promise<string> {
    const post = { parts: [{ text }], channelIds: [channelId] };
    const made = await client.post("/posts", post);
    expect(made.status).toBe(201);
    const { status } = await client.post(`/posts/${made.body.id}/schedule`, { at: "now" });
    expect(status).toBe(200);
    return text;
  }
  const goesOut = async (text: string) => {
    const copies = () => simulator.posts().filter((post) => post.text === text).length;
    await eventually(
      () => Promise.resolve(copies()),
      (count) => count > 0,
    );
    return copies;
  };

  const faults: Readonly<Record<string, Fault>> = {
    "is gone": () => {
      proxy.cut();
      return Promise.resolve(async () => proxy.heal());
    },
    "keeps its connections and answers nothing": () => {
      proxy.freeze();
      return Promise.resolve(async () => proxy.heal());
    },
    "cannot write to its disk": async () => {
      const [, folder = ""] = await redis.config("GET", "dir").then(texts);
      const blocked = path.join(folder, "dump.rdb");
      rmSync(blocked, { force: true });
      mkdirSync(blocked);
      await redis.config("SET", "save", "3600 1");
      await redis.bgsave();
      await eventually(
        () => redis.info("persistence"),
        (info) => info.includes("rdb_last_bgsave_status:err"),
      );
      await expect(redis.set("refused", "1")).rejects.toThrow(/MISCONF/);
      return async () => {
        rmdirSync(blocked);
        await redis.config("SET", "save", "");
      };
    },
    "has no memory left": async () => {
      await redis.config("SET", "maxmemory", "100kb");
      return () => redis.config("SET", "maxmemory", "0");
    },
    "has a key of the wrong type in the way": async () => {
      const key = `${QUEUE_PREFIX}:${LANE}:active`;
      await redis.del(key);
      await redis.set(key, "no list");
      return () => redis.del(key);
    },
    "has a queue that somebody has paused": async () => {
      const queue = new Queue(LANE, { connection: redis, prefix: QUEUE_PREFIX });
      await queue.pause();
      return async () => {
        await queue.resume();
        await queue.close();
      };
    },
  };

  test.each(Object.entries(faults))(
    "%s, the API plans and workers publish, and afterwards the queue is used again",
    async (name, fault) => {
      await delivers(true);
      heal = await fault();

      const during = await goesOut(await planned(`While it ${name}`));
      await delivers(false);
      await heal();
      heal = () => Promise.resolve();
      await delivers(true);

      const after = await goesOut(await planned(`After it ${name}`));
      expect([during(), after()]).toEqual([1, 1]);
    },
  );

  test("is replaced by a copy that lacks what was acknowledged last, or by an empty server, nothing is lost", async () => {
    const primary = new URL(proxy.url);
    const origin = new URL(stores[0]?.url ?? "");
    const replica = await aServer("replica");
    const standby = connect(replica.url);
    await standby.config("SET", "masterauth", primary.password);
    await standby.replicaof(origin.hostname, origin.port);
    await eventually(
      () => standby.info("replication"),
      (info) => info.includes("master_link_status:up"),
    );
    // From here on it hears of nothing more.
    await standby.replicaof("NO", "ONE");
    await standby.config("SET", "requirepass", primary.password);
    standby.disconnect();

    const at = new Date(stack.context.now().getTime() + 1_000).toISOString();
    const made = await client.post("/posts", {
      parts: [{ text: "Lost" }],
      channelIds: [channelId],
    });
    await client.post(`/posts/${made.body.id}/schedule`, { at: { utc: at } });
    await eventually(handedOver, (isSo) => isSo);
    proxy.redirect(replica.url);

    const copies = await goesOut("Lost");
    await delivers(true);
    expect(copies()).toBe(1);

    // One without any of the scripts that workers know by their hashes.
    const empty = await aServer("empty");
    const fresh = connect(empty.url);
    await fresh.config("SET", "requirepass", primary.password);
    fresh.disconnect();
    proxy.redirect(empty.url);
    const again = await goesOut(await planned("On an empty server"));
    await delivers(true);
    expect(again()).toBe(1);
  });

  async function handedOver(): Promise<boolean> {
    const rows = stack.db.selectFrom("outbox").select("handedAt");
    const found = await rows.where("job", "=", "publish-channel").executeTakeFirst();
    return (found?.handedAt ?? null) !== null;
  }
});

function connect(url: string): Redis {
  const redis = new Redis(url);
  redis.on("error", () => undefined);
  return redis;
}

function texts(answer: unknown): string[] {
  return Array.isArray(answer) ? answer.map(String) : [];
}
