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
  /** Takes note of what came of sending: the error, or null for success. Never rejects. */
  reportSent(delivery: DueDelivery, failure: Failure | null): Promise<void>;
  /** The same for a look for a lost answer. That a platform can be read says little about posting. */
  reportLook(delivery: DueDelivery, failure: Failure | null): Promise<void>;
  /** Asked when the channel has nothing to do: whether it may try a platform that is out, as it is time to and nobody else does. */
  mayProbe(lease: Lease): Promise<boolean>;
  stop(): void;
}

type Failure = NonNullable<Parameters<typeof lifeSign>[0]>;

export function createBreakers(context: Context): Breakers {
  const { db, log } = context;
  const judges = new Map<string, Judge>();
  /** Channels that try, with what they have found out so far. */
  const probing = new Map<string, LifeSign>();
  let platformsOut: ReadonlySet<string> = new Set();

  async function look(): Promise<void> {
    const outages = await findOutages(db);
    platformsOut = new Set(outages.map(({ platform }) => platform));
  }
  async function settleProbe(channelId: string, sign: LifeSign): Promise<void> {
    if (sign === "none") return;
    probing.delete(channelId);
    if (sign === "away") return failProbe(db, channelId);
    const closed = await closeBreaker(db, channelId);
    if (!closed) return;
    judges.delete(keyOf(closed));
    log.info(closed, "the platform answers again");
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

  async function note(delivery: DueDelivery, sign: LifeSign): Promise<void> {
    const where = whereOf(delivery);
    try {
      if (probing.has(delivery.channelId)) await settleProbe(delivery.channelId, sign);
      else await judge(where, sign);
    } catch (error) {
      log.warn({ err: error, ...where }, "the state of a platform was not noted");
    }
  }

  const onError = (error: unknown): void => log.warn({ err: error }, "outages not looked up");
  const timer = setInterval(() => void look().catch(onError), LOOK_EVERY_MS);
  void look().catch(onError);
  return {
    reportSent: (delivery, failure) => note(delivery, lifeSign(failure)),
    async reportLook(delivery, failure) {
      const sign = lifeSign(failure);
      if (sign === "away") await note(delivery, sign);
      // If there is nothing to send, that will have to do.
      else if (probing.has(delivery.channelId)) probing.set(delivery.channelId, sign);
    },
    async mayProbe({ lane: platform, subjectId: channelId }) {
      const found = probing.get(channelId);
      if (found !== undefined) {
        await settleProbe(channelId, found);
        probing.delete(channelId);
        return false;
      }
      if (!platformsOut.has(platform) || !(await takeProbe(db, channelId))) return false;
      probing.set(channelId, "none");
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
