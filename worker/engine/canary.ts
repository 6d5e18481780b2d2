import type { Redis } from "ioredis";
import type { Logger } from "../../shared/logger.ts";

/** Where every worker sees which lane's canary came through last, by Redis' own clock. */
const SEEN_KEY = "postwell:canary:seen";
const TURN_KEY = "postwell:canary:turn";

const LOOK_EVERY_MS = 1_000;

/** A lane without a canary for this long is not trusted with hints. */
const TRUST_MS = 4_000;

/** Knows which lanes of the queue really deliver: a connection that answers says nothing about a wedged or paused queue. */
export interface Canaries {
  isHealthy(lane: string): boolean;
  /** A canary has made its way through a lane. */
  cameThrough(lane: string): Promise<void>;
  stop(): void;
}

export interface CanaryOptions {
  readonly redis: Redis;
  /** Sends one canary into each lane. */
  readonly send: () => Promise<void>;
  /** Told when a lane is trusted again: hints from before may be lost. */
  readonly onRecovered: (lanes: readonly string[]) => void;
  readonly log: Logger;
}

/**
 * Sends canaries in turn with the other workers, and watches them come through. Nothing is healthy before the first one
 * has.
 */
export function watchCanaries({ redis, send, onRecovered, log }: CanaryOptions): Canaries {
  let healthy: ReadonlySet<string> = new Set();

  async function look(): Promise<void> {
    const now = await lanesThatDeliver(redis, send).catch(() => new Set<string>());
    const recovered = [...now].filter((lane) => !healthy.has(lane));
    const lost = [...healthy].filter((lane) => !now.has(lane));
    healthy = now;
    if (lost.length > 0)
      log.warn({ lanes: lost }, "the queue does not deliver; working without it");
    if (recovered.length > 0) {
      log.info({ lanes: recovered }, "the queue delivers");
      onRecovered(recovered);
    }
  }

  void look();
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  return {
    isHealthy: (lane) => healthy.has(lane),
    async cameThrough(lane) {
      await redis.hset(SEEN_KEY, lane, await redisTimeMs(redis));
    },
    stop: () => clearInterval(timer),
  };
}

/** @returns the lanes whose last canary is recent */
async function lanesThatDeliver(
  redis: Redis,
  send: () => Promise<void>,
): Promise<ReadonlySet<string>> {
  const isOurTurn = (await redis.set(TURN_KEY, "1", "PX", LOOK_EVERY_MS / 2, "NX")) === "OK";
  if (isOurTurn) await send();
  const now = await redisTimeMs(redis);
  const seen = Object.entries(await redis.hgetall(SEEN_KEY));
  return new Set(seen.filter(([, at]) => now - Number(at) < TRUST_MS).map(([lane]) => lane));
}

async function redisTimeMs(redis: Redis): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
}
