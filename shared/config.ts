import path from "node:path";
import * as z from "zod";
import { parseEngagementSchedule } from "./domain/engagement-schedule.ts";
import { PROJECT_ROOT } from "./project-root.ts";

// What people read after the setting's name, wherever the value is at fault.
const amount = (least: number) => {
  const error = `must be a number of at least ${least}, in digits`;
  return z.coerce.number({ error }).min(least, { error });
};
const whole = (least: number, most: number) => {
  const error = `must be a whole number from ${least} to ${most}, in digits`;
  return z.coerce.number({ error }).int({ error }).min(least, { error }).max(most, { error });
};
const seconds = (fallback: number) => amount(0).default(fallback);
const oneOf = <const Choice extends string>(choices: readonly Choice[]) =>
  z.enum(choices, { error: `must be one of ${choices.join(", ")}` });
const needed = z.string({ error: "is not set" });

/**
 * Every setting of Postwell itself, as environment variables. A platform's own settings are `POSTWELL_<PLATFORM>_…` and are
 * described by its connector.
 */
const Environment = z.object({
  DATABASE_URL: needed.regex(/^postgres(ql)?:\/\//, "must begin with postgres://"),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, "must begin with redis:// or rediss://")
    .optional(),
  PORT: whole(0, 65_535).default(3000),
  /** Address to listen on. */
  POSTWELL_HOST: z.string().default("0.0.0.0"),
  /** Media and, with `npm start`, the private stores. Relative to the project's folder. */
  POSTWELL_DATA_DIR: z.string().default("data"),
  /** `auto` uses Redis when it is there and PostgreSQL alone when it is not. */
  POSTWELL_QUEUE: oneOf(["auto", "redis", "direct"]).default("auto"),
  /** Seals the channels' credentials: 32 bytes, base64. The same for every process. */
  POSTWELL_SECRET_KEY: needed.refine(
    (key) => Buffer.from(key, "base64").length === 32,
    "must be 32 bytes in base64 (openssl rand -base64 32)",
  ),
  /** Creates the first admin token when there is none yet. */
  POSTWELL_BOOTSTRAP_TOKEN: z
    .string()
    .regex(/^pw_[\w-]{20,}$/, "must be pw_ and at least 20 letters, digits, - or _")
    .optional(),
  /** Hosts (`host` or `host:port`, comma separated) that may be called although their address is private. */
  POSTWELL_ALLOW_PRIVATE_HOSTS: z.string().default(""),
  POSTWELL_LOG_LEVEL: oneOf(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default(
    "info",
  ),
  /** Only what is due within it enters the queue. */
  POSTWELL_HORIZON_SECONDS: seconds(300),
  /** How often a worker looks into PostgreSQL for due work. */
  POSTWELL_POLL_MS: whole(10, 60_000).default(100),
  /** Channels that one worker process serves at the same time. */
  POSTWELL_CONCURRENCY: whole(1, 2_000).default(200),
  /** A commit that takes longer has an unknown outcome. */
  POSTWELL_COMMIT_TIMEOUT_SECONDS: amount(0.1).default(20),
  /** After an outage, pause between two late posts of one channel, so that followers are not flooded. */
  POSTWELL_CATCH_UP_GAP_SECONDS: seconds(30),
  /** `false`: only what platforms themselves say is obeyed. For stand-ins of platforms that allow more. */
  POSTWELL_COUNT_BUDGETS: oneOf(["true", "false"]).default("true"),
  /** When engagement is read, as times after publication. */
  POSTWELL_ENGAGEMENT_AFTER: z
    .string()
    .refine(isSchedule, "must be durations such as 15m,6h,3d")
    .default("15m,1h,6h,24h,3d,7d,28d"),
  /** A delivery that nothing works on raises an alarm when it is late by this. */
  POSTWELL_OVERDUE_AFTER_SECONDS: seconds(60),
  /** Where a worker tells Prometheus about itself, on `POSTWELL_HOST`; without it, nowhere. */
  POSTWELL_METRICS_PORT: whole(0, 65_535).optional(),
  /** Largest upload of one image. */
  POSTWELL_MAX_UPLOAD_BYTES: whole(1, 1_000_000_000).default(20_000_000),
});

/** The names that a deployment may set; the compose file is checked against them. */
export const SETTING_NAMES: readonly string[] = Object.keys(Environment.shape);

export interface Config {
  readonly databaseUrl: string;
  readonly redisUrl: string | null;
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  readonly queue: "auto" | "redis" | "direct";
  readonly secretKey: Buffer;
  readonly bootstrapToken: string | null;
  readonly allowPrivateHosts: readonly string[];
  readonly logLevel: string;
  readonly horizonMs: number;
  readonly pollMs: number;
  readonly concurrency: number;
  readonly commitTimeoutMs: number;
  readonly catchUpGapMs: number;
  /** Whether posts are counted against the platforms' published limits before they are sent. */
  readonly countsBudgets: boolean;
  readonly engagementAfter: string;
  readonly overdueAfterMs: number;
  /** Of a worker; null for none. */
  readonly metricsPort: number | null;
  readonly maxUploadBytes: number;
  /** Every variable that begins with POSTWELL_: the platforms' settings are among them. */
  readonly platformVariables: Readonly<Record<string, string>>;
}

/** A setting that cannot be used: its name, what is wrong, and nothing of its value. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * Reads the settings once, at start.
 * @throws {ConfigError} that names every bad setting
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  // An empty variable means "not set": compose files and shells produce them.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const parsed = Environment.safeParse(given);
  if (!parsed.success) throw new ConfigError(describe(parsed.error.issues, given));
  const env = parsed.data;
  if (env.POSTWELL_QUEUE === "redis" && env.REDIS_URL === undefined) {
    throw new ConfigError(
      "POSTWELL_QUEUE is redis, but REDIS_URL is not set. Set it, or use auto.",
    );
  }
  return {
    databaseUrl: env.DATABASE_URL,
    redisUrl: env.POSTWELL_QUEUE === "direct" ? null : (env.REDIS_URL ?? null),
    port: env.PORT,
    host: env.POSTWELL_HOST,
    dataDir: path.resolve(PROJECT_ROOT, env.POSTWELL_DATA_DIR),
    queue: env.POSTWELL_QUEUE,
    secretKey: Buffer.from(env.POSTWELL_SECRET_KEY, "base64"),
    bootstrapToken: env.POSTWELL_BOOTSTRAP_TOKEN ?? null,
    allowPrivateHosts: splitList(env.POSTWELL_ALLOW_PRIVATE_HOSTS),
    logLevel: env.POSTWELL_LOG_LEVEL,
    horizonMs: env.POSTWELL_HORIZON_SECONDS * 1_000,
    pollMs: env.POSTWELL_POLL_MS,
    concurrency: env.POSTWELL_CONCURRENCY,
    commitTimeoutMs: env.POSTWELL_COMMIT_TIMEOUT_SECONDS * 1_000,
    catchUpGapMs: env.POSTWELL_CATCH_UP_GAP_SECONDS * 1_000,
    countsBudgets: env.POSTWELL_COUNT_BUDGETS === "true",
    engagementAfter: env.POSTWELL_ENGAGEMENT_AFTER,
    overdueAfterMs: env.POSTWELL_OVERDUE_AFTER_SECONDS * 1_000,
    metricsPort: env.POSTWELL_METRICS_PORT ?? null,
    maxUploadBytes: env.POSTWELL_MAX_UPLOAD_BYTES,
    platformVariables: onlyPostwell(given),
  };
}

/** `POSTWELL_<PLATFORM>_BASE_URL` becomes `baseUrl`. */
export function platformSettings(config: Config, platform: string): Record<string, string> {
  const prefix = `POSTWELL_${platform.toUpperCase().replaceAll("-", "_")}_`;
  const own = Object.entries(config.platformVariables).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(
    own.map(([name, value]) => [camelCase(name.slice(prefix.length)), value]),
  );
}

function camelCase(name: string): string {
  return name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function onlyPostwell(environment: Record<string, string | undefined>): Record<string, string> {
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (name.startsWith("POSTWELL_") && value !== undefined) own[name] = value;
  }
  return own;
}

function splitList(text: string): string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

function isSchedule(text: string): boolean {
  try {
    return parseEngagementSchedule(text).length > 0;
  } catch {
    return false;
  }
}

/** One sentence a setting, and for whoever set nothing at all, where to begin. */
function describe(issues: readonly z.core.$ZodIssue[], given: object): string {
  const wrong = new Map(issues.map((issue) => [issue.path.join("."), issue.message]));
  const sentences = [...wrong].map(([name, message]) => `${name} ${message}.`);
  const missing = [...wrong.keys()].filter((name) => !(name in given));
  if (missing.length > 0) sentences.push(WHERE_TO_BEGIN);
  return sentences.join(" ");
}

const WHERE_TO_BEGIN =
  "To run all of Postwell on this machine, type `npm start`: it needs no settings. One process alone needs DATABASE_URL " +
  "(postgres://user:password@host:5432/database) and POSTWELL_SECRET_KEY (openssl rand -base64 32; the same one for every process).";
