import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { Redis } from "ioredis";

/** @returns a sentence for every key or value of Redis that holds a needle */
export async function scanRedis(redis: Redis, needles: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  let cursor = "0";
  do {
    const [next, keys] = await redis.scan(cursor, "COUNT", 1_000);
    cursor = next;
    for (const key of keys) {
      const held = `${key}\n${JSON.stringify(await valueOf(redis, key))}`;
      if (needles.some((needle) => held.includes(needle))) {
        found.push(`Redis holds a text or a secret under the key ${key}.`);
      }
    }
  } while (cursor !== "0");
  return found;
}

/** A look into a Redis that may be away: then there is nothing to be seen. */
export async function scanRedisAt(url: string, needles: readonly string[]): Promise<string[]> {
  const redis = new Redis(url, {
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    commandTimeout: 3_000,
  });
  redis.on("error", () => undefined);
  try {
    return await scanRedis(redis, needles);
  } catch {
    return [];
  } finally {
    redis.disconnect();
  }
}

/** @returns a sentence for every file that holds a needle: logs, and all that Redis was ever told */
export async function scanFiles(
  places: readonly string[],
  needles: readonly string[],
): Promise<string[]> {
  const found: string[] = [];
  for (const place of places) {
    for (const file of await filesIn(place)) {
      const content = await readFile(file);
      const needle = needles.find((one) => content.includes(one));
      if (needle === undefined) continue;
      const at = content.indexOf(needle);
      const around = content.subarray(Math.max(0, at - 200), at + 40).toString("latin1");
      found.push(`${path.basename(file)} holds a text or a secret: …${around}…`);
    }
  }
  return found;
}

async function filesIn(place: string): Promise<string[]> {
  try {
    const entries = await readdir(place, { recursive: true, withFileTypes: true });
    return entries.flatMap((entry) =>
      entry.isFile() ? [path.join(entry.parentPath, entry.name)] : [],
    );
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    return code === "ENOTDIR" ? [place] : [];
  }
}

async function valueOf(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case "string":
      return redis.get(key);
    case "hash":
      return redis.hgetall(key);
    case "list":
      return redis.lrange(key, 0, -1);
    case "set":
      return redis.smembers(key);
    case "zset":
      return redis.zrange(key, "0", "-1");
    case "stream":
      return redis.xrange(key, "-", "+");
    default:
      return null;
  }
}
