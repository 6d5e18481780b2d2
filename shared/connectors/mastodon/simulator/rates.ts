import type { ServerOptions } from "./options.ts";

export type Family = "api" | "statuses" | "media" | "deletes";

const MINUTE_MS = 60_000;

const WINDOWS: Record<Family, { limit: number; periodMs: number }> = {
  api: { limit: 300, periodMs: 5 * MINUTE_MS },
  statuses: { limit: 300, periodMs: 180 * MINUTE_MS },
  media: { limit: 30, periodMs: 30 * MINUTE_MS },
  deletes: { limit: 30, periodMs: 30 * MINUTE_MS },
};

export interface RateState {
  readonly isExceeded: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

/** Counts requests in windows that begin at multiples of their length, as the server does. */
export function rateWindows(
  options: Pick<ServerOptions, "now" | "rateHeaders" | "enforceRateLimits">,
) {
  const counts = new Map<string, { window: number; count: number }>();

  return function count(accountId: string, family: Family): RateState {
    const { limit, periodMs } = WINDOWS[family];
    const window = Math.floor(options.now().getTime() / periodMs);
    const key = `${family}:${accountId}`;
    const before = counts.get(key);
    const used = (before?.window === window ? before.count : 0) + 1;
    counts.set(key, { window, count: used });
    // Who does not hold back anybody does not say that nothing is left either.
    const left = Math.max(options.enforceRateLimits ? 0 : 1, limit - used);
    return {
      isExceeded: options.enforceRateLimits && used > limit,
      headers: options.rateHeaders
        ? rateHeaders(limit, left, new Date((window + 1) * periodMs))
        : {},
    };
  };
}

/** Reset is an ISO 8601 instant with microseconds. */
export function rateHeaders(limit: number, remaining: number, reset: Date): Record<string, string> {
  return {
    "x-ratelimit-limit": String(limit),
    "x-ratelimit-remaining": String(remaining),
    "x-ratelimit-reset": reset.toISOString().replace("Z", "000Z"),
  };
}
