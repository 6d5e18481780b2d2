import { describe } from "@jest/globals";
import { Redis } from "ioredis";

/** How hints travel in a run of a suite. */
export interface QueueMode {
  readonly name: "redis" | "direct";
  /** Settings that choose it. */
  readonly settings: Readonly<Record<string, string>>;
}

/** A logical database of its own for each of Jest's workers: suites that run side by side must not take each other's hints. */
const redisUrl = ownDatabase(process.env.POSTWELL_TEST_REDIS_URL);

/**
 * For what needs a Redis. Skipped where none can be had (none on PATH, and no package of the distribution's): there is nothing to test
 * then, and the closing lines of the run name it.
 */
export const describeWithRedis = redisUrl === null ? describe.skip : describe;

/** Runs a suite in both queue modes; without a Redis, that half is skipped. */
export function describeInBothModes(name: string, suite: (mode: QueueMode) => void): void {
  describe(`${name}, direct`, () =>
    suite({ name: "direct", settings: { POSTWELL_QUEUE: "direct" } }));
  describeWithRedis(`${name}, through Redis`, () => {
    // A hint that waits in the queue does not know that a test has moved the clock.
    const settings = { REDIS_URL: redisUrl ?? "", POSTWELL_HORIZON_SECONDS: "1" };
    suite({ name: "redis", settings });
  });
}

/** Empties this worker's logical database. */
export async function wipeRedis(mode: QueueMode): Promise<void> {
  const url = mode.settings["REDIS_URL"];
  if (url === undefined) return;
  const client = new Redis(url);
  await client.flushdb();
  client.disconnect();
}

function ownDatabase(serverUrl: string | undefined): string | null {
  if (serverUrl === undefined) return null;
  const url = new URL(serverUrl);
  url.pathname = `/${Number(process.env.JEST_WORKER_ID ?? "1") % 16}`;
  return url.href;
}
