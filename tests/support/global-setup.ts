import path from "node:path";
import { removeTestStores, startTestStores } from "./test-stores.ts";

/**
 * Before all tests: one PostgreSQL and, where it can be had, one Redis for all of them. Tests find them in
 * `POSTWELL_TEST_DATABASE_URL` and `POSTWELL_TEST_REDIS_URL`; the latter is absent where there is no Redis.
 */
export default async function globalSetup(): Promise<void> {
  const dataDir = path.resolve(import.meta.dirname, "../../data");
  const stores = await startTestStores(dataDir, {
    databaseUrl: process.env["POSTWELL_TEST_DATABASE_URL"],
    redisUrl: process.env["POSTWELL_TEST_REDIS_URL"],
  });
  process.env["POSTWELL_TEST_DATABASE_URL"] = stores.databaseUrl;
  if (stores.redisUrl !== null) process.env["POSTWELL_TEST_REDIS_URL"] = stores.redisUrl;
  if (stores.dir !== null) cleanUpOnSignals(stores.dir);
}

function cleanUpOnSignals(dir: string): void {
  process.env["POSTWELL_TEST_DIR"] = dir;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    // Jest would end without the teardown.
    process.once(signal, () => void removeTestStores(dir).finally(() => process.exit(1)));
  }
}
