import type { FailureKind } from "./failure.ts";

export const BREAKER_STATES = ["closed", "open", "half_open"] as const;

/** Closed: all is well. Open: nothing is sent. Half open: one channel tries. */
export type BreakerState = (typeof BREAKER_STATES)[number];

/** What one exchange tells about the platform itself. `none`: nothing either way. */
export type LifeSign = "answers" | "away" | "none";

/** Answers below 500, and our own refusals: whatever they mean for the post, they are no outage. */
const NO_OUTAGE_CODE = /^(?:[1-4]\d\d|POSTWELL_.*)$/;

/** Only timeouts, broken connections and 5xx count against a platform; being told no, or to wait, is an answer. */
export function lifeSign(
  failure: { readonly kind: FailureKind; readonly platformCode: string | null } | null,
): LifeSign {
  if (failure === null) return "answers";
  if (failure.kind === "bug") return "none";
  if (failure.kind !== "unavailable" && failure.kind !== "unknown_outcome") return "answers";
  return NO_OUTAGE_CODE.test(failure.platformCode ?? "") ? "none" : "away";
}

/** A platform that comes back gets this many channels a second at first. */
const GENTLE_PER_SECOND = 5;

const LONGEST_RAMP_MS = 60_000;

/** How the channels that waited are let go: the part of the ramp's time, and the part of them that is going by then. */
const RAMP = [
  [0, 0.05],
  [1 / 3, 0.25],
  [1, 1],
] as const;

/**
 * How long a channel waits after an outage, before it goes on.
 * @param rank from 0, in the order of the oldest post that waits
 */
export function rampDelayMs(rank: number, count: number): number {
  if (rank < GENTLE_PER_SECOND) return 0;
  const lastsMs = Math.min(LONGEST_RAMP_MS, (count / GENTLE_PER_SECOND) * 1_000);
  const share = (rank + 1) / count;
  let [fromTime, fromShare]: readonly [number, number] = RAMP[0];
  for (const [time, upToShare] of RAMP) {
    if (share <= upToShare) {
      const within = upToShare === fromShare ? 0 : (share - fromShare) / (upToShare - fromShare);
      return Math.round(lastsMs * (fromTime + Math.max(0, within) * (time - fromTime)));
    }
    [fromTime, fromShare] = [time, upToShare];
  }
  return lastsMs;
}
