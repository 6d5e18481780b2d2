import { Redis } from "ioredis";
import { Client } from "pg";
import { StoreError, codeOf, reasonOf } from "./store-error.ts";

const CONNECT_TIMEOUT_MS = 5_000;
/** Older ones have ended their support. Source: https://www.postgresql.org/support/versioning/ (read 2026-11-22). */
const OLDEST_POSTGRES = 15;
/** Source: https://docs.bullmq.io/guide/redis-tm-compatibility (read 2026-11-22). */
const OLDEST_REDIS = "6.2";

/**
 * Connects once and looks whether Postwell can work on this PostgreSQL. Changes nothing.
 * @throws {StoreError}
 */
export async function checkDatabase(url: string): Promise<void> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<DatabaseFacts>(
      "select current_setting('server_version_num')::int / 10000 as version, current_setting('server_encoding') as encoding, pg_is_in_recovery() as \"isReplica\"",
    );
    const complaint = rows[0] === undefined ? null : complaintAboutDatabase(rows[0]);
    if (complaint !== null) throw new StoreError("unfit", complaint);
  } catch (error) {
    throw error instanceof StoreError ? error : databaseError(client, error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Connects once and looks whether BullMQ can work on this Redis or Valkey. Changes nothing.
 * @throws {StoreError}
 */
export async function checkRedis(url: string): Promise<void> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: CONNECT_TIMEOUT_MS,
    disconnectTimeout: 50,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    // Its own check would hide the reason: a refused password, or a server that still loads.
    enableReadyCheck: false,
  });
  let reason: unknown;
  redis.on("error", (error: unknown) => {
    reason = error;
  });
  try {
    await redis.connect();
    const complaint = complaintAboutRedis(await redis.info());
    if (complaint !== null) throw new StoreError("unfit", complaint);
  } catch (error) {
    throw error instanceof StoreError ? error : redisError(redis, reason ?? error);
  } finally {
    redis.disconnect();
  }
}

interface DatabaseFacts {
  readonly version: number;
  readonly encoding: string;
  readonly isReplica: boolean;
}

function complaintAboutDatabase({ version, encoding, isReplica }: DatabaseFacts): string | null {
  if (version < OLDEST_POSTGRES) {
    return `DATABASE_URL: this is PostgreSQL ${version}; Postwell needs ${OLDEST_POSTGRES} or newer. Upgrade it or use another one.`;
  }
  if (encoding !== "UTF8") {
    return `DATABASE_URL: the database is encoded in ${encoding}; create one with "encoding 'UTF8'" and use that.`;
  }
  if (isReplica) {
    return "DATABASE_URL: this PostgreSQL is a replica, which can only be read. Use the address of the primary.";
  }
  return null;
}

function databaseError(client: Client, error: unknown): StoreError {
  const place = `${client.host}:${client.port}`;
  const said = reasonOf(error);
  switch (codeOf(error)) {
    case "28P01":
    case "28000": {
      const remedy =
        "Correct the user, the password or the server's access rules (?sslmode=require asks for encryption).";
      return new StoreError(
        "unfit",
        `DATABASE_URL: PostgreSQL at ${place} refuses the sign-in (${said}). ${remedy}`,
        error,
      );
    }
    case "3D000":
      return new StoreError(
        "unfit",
        `DATABASE_URL: PostgreSQL at ${place} has no such database (${said}). Create it, or correct DATABASE_URL.`,
        error,
      );
    default:
      return new StoreError(
        "unreachable",
        `DATABASE_URL: no usable PostgreSQL at ${place} (${said}). Start it or correct DATABASE_URL; without DATABASE_URL, npm start runs a PostgreSQL of its own.`,
        error,
      );
  }
}

function complaintAboutRedis(info: string): string | null {
  const facts = new Map(info.split(/\r?\n/).map((line) => splitOnce(line)));
  const version = facts.get("valkey_version") ?? facts.get("redis_version") ?? "0";
  if (version.localeCompare(OLDEST_REDIS, "en", { numeric: true }) < 0) {
    return `REDIS_URL: this is Redis ${version}; Postwell needs ${OLDEST_REDIS} or newer. Upgrade it, or leave REDIS_URL out.`;
  }
  const policy = facts.get("maxmemory_policy") ?? "noeviction";
  if (policy !== "noeviction") {
    return `REDIS_URL: this Redis may throw jobs away (maxmemory-policy is ${policy}). Set "maxmemory-policy noeviction" on it, or use another Redis.`;
  }
  if (facts.get("role") === "slave") {
    return "REDIS_URL: this Redis is a replica, which can only be read. Use the address of the primary.";
  }
  return null;
}

function redisError(redis: Redis, error: unknown): StoreError {
  const place = redis.options.path ?? `${redis.options.host}:${redis.options.port}`;
  const said = reasonOf(error);
  if (/^(NOAUTH|WRONGPASS|NOPERM|ERR AUTH)|invalid password/i.test(said)) {
    return new StoreError(
      "unfit",
      `REDIS_URL: Redis at ${place} refuses the sign-in (${said}). Correct the user and the password in REDIS_URL.`,
      error,
    );
  }
  return new StoreError(
    "unreachable",
    `REDIS_URL: no usable Redis at ${place} (${said}). Start it or correct REDIS_URL, or set POSTWELL_QUEUE=direct to work without Redis.`,
    error,
  );
}

function splitOnce(line: string): [string, string] {
  const at = line.indexOf(":");
  return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
}
