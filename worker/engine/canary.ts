import type { Redis } from "ioredis";
import type { Logger } from "../../shared/logger.ts";
import { lanesThatDeliver, noteCanary } from "../../shared/queue-layout.ts";

const TURN_KEY = "postwell:canary:turn";

const LOOK_EVERY_MS = 1_000;

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
    const now = await sendAndLook(redis, send).catch(() => new Set<string>());
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
    cameThrough: (lane) => noteCanary(redis, lane),
    stop: () => clearInterval(timer),
  };
}

/** @returns the lanes whose last canary is recent */
async function sendAndLook(redis: Redis, send: () => Promise<void>): Promise<ReadonlySet<string>> {
  const isOurTurn = (await redis.set(TURN_KEY, "1", "PX", LOOK_EVERY_MS / 2, "NX")) === "OK";
  if (isOurTurn) await send();
  return lanesThatDeliver(redis);
}
