import { Redis } from "ioredis";

/** A Redis that does not answer within this is as good as gone. */
const ANSWER_WITHIN_MS = 1_000;

/** The API's own connection to the queue: for looking at it, never for work. */
export interface QueueConnection {
  readonly redis: Redis;
  /** Answers within a second. */
  isReachable(): Promise<boolean>;
}

/**
 * Connects in the background and goes on trying. Nothing waits for it: while Redis is away, commands fail at once.
 * @param closing ends the connection
 */
export function openQueueConnection(redisUrl: string, closing: AbortSignal): QueueConnection {
  const redis = new Redis(redisUrl, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: ANSWER_WITHIN_MS,
    commandTimeout: ANSWER_WITHIN_MS,
    retryStrategy: () => ANSWER_WITHIN_MS,
  });
  // An error event without a listener would end the process. Workers report the outage.
  redis.on("error", () => {});
  // Every queue on the page listens to the same connection.
  redis.setMaxListeners(0);
  closing.addEventListener("abort", () => redis.disconnect(), { once: true });
  return {
    redis,
    async isReachable() {
      try {
        return (await redis.ping()) === "PONG";
      } catch {
        return false;
      }
    },
  };
}
