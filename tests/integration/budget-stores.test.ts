import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import { sql } from "kysely";
import { noteBudgetUsage, type BudgetWish } from "../../shared/db/budget-usage.ts";
import { createLogger } from "../../shared/logger.ts";
import { redisBudgets, type RedisBudgets } from "../../worker/budgets/redis-store.ts";
import { postgresBudgets, type BudgetStore } from "../../worker/budgets/store.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { startProxy, type Proxy } from "../support/proxy.ts";
import { eventually } from "../support/publishing.ts";
import { describeWithRedis } from "../support/queue-modes.ts";

const LIMIT = 30;
const MINUTE_MS = 60_000;

let database: TestDatabase;
/** The window of a budget, so far in the future that nothing cleans it up. */
let window: Pick<BudgetWish, "bucketAt" | "countsFrom" | "forgetAt">;
let windows = 0;

beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(() => {
  const bucketAt = new Date(Date.now() + (windows += 1) * 60 * MINUTE_MS);
  const forgetAt = new Date(bucketAt.getTime() + 30 * MINUTE_MS);
  window = { bucketAt, countsFrom: bucketAt, forgetAt };
});
afterAll(() => database.close());

const wish = (count: number): BudgetWish => ({
  key: "app/stores/",
  limit: LIMIT,
  count,
  ...window,
});

/** Asks so often, one after the other in each store but the stores side by side. @returns how many were granted */
async function takeAll(stores: readonly BudgetStore[], times: number, count = 1): Promise<number> {
  const granted = await Promise.all(
    stores.map(async (store) => {
      let sum = 0;
      for (let turn = 0; turn < times; turn += 1) sum += (await store.take(wish(count))).granted;
      return sum;
    }),
  );
  return granted.reduce((one, other) => one + other, 0);
}

describe("budgets in PostgreSQL", () => {
  test("grant exactly the limit, however many take at once and however much they wish", async () => {
    const stores = Array.from({ length: 4 }, () => postgresBudgets(database.db));

    expect(await takeAll(stores, 6, 4)).toBe(LIMIT);
  });

  test("count what was taken in earlier steps of a sliding window, and say since when", async () => {
    const store = postgresBudgets(database.db);
    const anHourAgo = new Date(window.bucketAt.getTime() - 60 * MINUTE_MS);
    const earlier = { ...wish(25), key: "sliding", bucketAt: anHourAgo, countsFrom: anHourAgo };
    await store.take(earlier);

    const now = { ...wish(10), key: "sliding", countsFrom: anHourAgo };

    expect(await store.take(now)).toMatchObject({ granted: 5, oldest: anHourAgo });
    expect(await store.take(now)).toMatchObject({ granted: 0 });
  });
});

const redisUrl = process.env["POSTWELL_TEST_REDIS_URL"];

describeWithRedis("budgets in Redis", () => {
  let redis: Redis;
  let proxy: Proxy;
  let stores: RedisBudgets[] = [];

  beforeAll(() => {
    redis = new Redis(redisUrl ?? "");
  });
  beforeEach(async () => {
    proxy = await startProxy(redisUrl ?? "");
    stores = Array.from({ length: 2 }, () =>
      redisBudgets({
        redisUrl: proxy.url,
        log: createLogger("test", "silent"),
        insurance: postgresBudgets(database.db),
        note: (notes) => noteBudgetUsage(database.db, notes),
      }),
    );
  });
  afterEach(async () => {
    await Promise.all(stores.map((store) => store.stop()));
    await proxy.close();
  });
  afterAll(() => redis.disconnect());

  const keyInRedis = () => `postwell:budget:app/stores//${window.bucketAt.getTime()}`;
  const usedInPostgres = async () => {
    const { rows } = await sql<{ used: number }>`
      select used from budget_usage where key = 'app/stores/' and bucket_at = ${window.bucketAt}`.execute(
      database.db,
    );
    return rows[0]?.used ?? 0;
  };

  test("grant exactly the limit, counted there", async () => {
    expect(await takeAll(stores, 12, 2)).toBe(LIMIT);
    expect(Number(await redis.get(keyInRedis()))).toBeGreaterThanOrEqual(LIMIT);
  });

  test("are told to PostgreSQL soon", async () => {
    await takeAll(stores, 5);

    await eventually(usedInPostgres, (used) => used === 10);
  });

  test("give nobody a second budget when Redis is gone, and keep nobody waiting", async () => {
    const before = await takeAll(stores, 5);
    await eventually(usedInPostgres, (used) => used === before);

    proxy.cut();
    const beganAt = performance.now();
    const after = await takeAll(stores, 30);

    expect(before + after).toBe(LIMIT);
    expect(performance.now() - beganAt).toBeLessThan(3_000);
  });

  test("keep nobody waiting when Redis is frozen", async () => {
    const before = await takeAll(stores, 5);
    await eventually(usedInPostgres, (used) => used === before);

    proxy.freeze();
    const beganAt = performance.now();
    const after = await takeAll(stores, 30);

    // What was on its way to Redis counts as taken, so it may be a few less.
    expect(before + after).toBeLessThanOrEqual(LIMIT);
    expect(before + after).toBeGreaterThan(LIMIT - 5);
    expect(performance.now() - beganAt).toBeLessThan(4_000);
  });

  test("give nobody a second budget when Redis is wiped", async () => {
    const before = await takeAll(stores, 10);
    await redis.del(keyInRedis());

    const after = await takeAll(stores, 30);

    expect(before + after).toBe(LIMIT);
  });

  test("count a window to its end where they have begun to, and the next one in Redis again", async () => {
    const before = await takeAll(stores, 5);
    await eventually(usedInPostgres, (used) => used === before);
    proxy.cut();
    await takeAll(stores, 5);
    proxy.heal();

    const after = await takeAll(stores, 30);
    expect(await usedInPostgres()).toBe(LIMIT);
    expect(before + 10 + after).toBe(LIMIT);
    const { bucketAt, forgetAt } = window;
    window = {
      bucketAt: forgetAt,
      countsFrom: forgetAt,
      forgetAt: new Date(2 * forgetAt.getTime() - bucketAt.getTime()),
    };
    // Redis is not asked for a while after a failure, so the first few may be counted elsewhere, in windows of their own.
    await eventually(
      async () => {
        window = { ...window, bucketAt: new Date(window.bucketAt.getTime() + 1_000) };
        await takeAll(stores, 1);
        return redis.exists(keyInRedis());
      },
      (exists) => exists === 1,
    );
  });
});
