import { CircuitState, ConsecutiveBreaker, SamplingBreaker } from "cockatiel";
import type { Context } from "../../shared/context.ts";
import type { DueDelivery } from "../../shared/db/deliveries.ts";
import type { Lease } from "../../shared/db/outbox.ts";
import {
  closeBreaker,
  failProbe,
  findOutages,
  openBreaker,
  takeProbe,
  type PlatformHost,
} from "../../shared/db/platform-health.ts";
import { lifeSign, type LifeSign } from "../../shared/domain/outage.ts";
import { whereOf } from "./channel-access.ts";

/** So many failures in a row, or half of all within the sample, and the platform counts as away. */
const CONSECUTIVE = 5;
const SAMPLE = { threshold: 0.5, duration: 30_000, minimumRps: 0.5 } as const;

const LOOK_EVERY_MS = 500;

/**
 * One circuit breaker for each platform and server. Each worker judges by what it sees itself; the verdict is everybody's, and
 * claims heed it in the database.
 */
export interface Breakers {
  /** Takes note of what came of asking a platform: the error, or null for an answer. Never rejects. */
  report(delivery: DueDelivery, failure: Parameters<typeof lifeSign>[0]): Promise<void>;
  /** Whether the channel may try a platform that is out, because it is time to and nobody else does. */
  mayProbe(lease: Lease): Promise<boolean>;
  stop(): void;
}

export function createBreakers(context: Context): Breakers {
  const { db, log } = context;
  const judges = new Map<string, Judge>();
  const probing = new Set<string>();
  let platformsOut: ReadonlySet<string> = new Set();

  async function look(): Promise<void> {
    const outages = await findOutages(db);
    platformsOut = new Set(outages.map(({ platform }) => platform));
  }
  async function settleProbe(channelId: string, where: PlatformHost, sign: LifeSign) {
    if (sign === "none") return;
    probing.delete(channelId);
    if (sign === "away") return failProbe(db, channelId);
    if (await closeBreaker(db, channelId)) {
      judges.delete(keyOf(where));
      log.info(where, "the platform answers again");
    }
  }
  async function judge(where: PlatformHost, sign: LifeSign): Promise<void> {
    const key = keyOf(where);
    const known = judges.get(key) ?? createJudge();
    judges.set(key, known);
    if (!known(sign)) return;
    judges.delete(key);
    platformsOut = new Set([...platformsOut, where.platform]);
    if (await openBreaker(db, where))
      log.warn(where, "the platform does not answer; waiting for it");
  }

  const onError = (error: unknown): void => log.warn({ err: error }, "outages not looked up");
  const timer = setInterval(() => void look().catch(onError), LOOK_EVERY_MS);
  void look().catch(onError);
  return {
    async report(delivery, failure) {
      const { channelId } = delivery;
      const where = whereOf(delivery);
      const sign = lifeSign(failure);
      try {
        if (probing.has(channelId)) await settleProbe(channelId, where, sign);
        else await judge(where, sign);
      } catch (error) {
        log.warn({ err: error, ...where }, "the state of a platform was not noted");
      }
    },
    async mayProbe({ lane: platform, subjectId: channelId }) {
      if (!platformsOut.has(platform) || !(await takeProbe(db, channelId))) return false;
      probing.add(channelId);
      return true;
    },
    stop: () => clearInterval(timer),
  };
}

/** Told one life sign after the other, says when it is enough. */
type Judge = (sign: LifeSign) => boolean;

function createJudge(): Judge {
  const breakers = [new ConsecutiveBreaker(CONSECUTIVE), new SamplingBreaker(SAMPLE)];
  return (sign) => {
    if (sign === "none") return false;
    if (sign === "away") {
      // Each of them has to hear of it.
      return breakers.map((breaker) => breaker.failure(CircuitState.Closed)).includes(true);
    }
    for (const breaker of breakers) breaker.success(CircuitState.Closed);
    return false;
  };
}

function keyOf({ platform, host }: PlatformHost): string {
  return `${platform}/${host}`;
}
