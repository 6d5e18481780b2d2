import { Refusal } from "./refusal.ts";

interface Limit {
  readonly points: number;
  readonly perMs: number;
}

/** Takes points from a key's windows and gives the headers that tell what is left. Throws the platform's 429. */
export type Limiter = (key: string, points: number) => Readonly<Record<string, string>>;

/** Fixed windows; a key's window starts with its first request. */
export function limiter(limits: readonly Limit[], now: () => Date): Limiter {
  const windows = new Map<string, { endsAtMs: number; used: number }[]>();
  return (key, points) => {
    const nowMs = now().getTime();
    const current = windows.get(key) ?? [];
    const next = limits.map(({ perMs }, index) => {
      const window = current[index];
      return window && window.endsAtMs > nowMs ? window : { endsAtMs: nowMs + perMs, used: 0 };
    });
    windows.set(key, next);
    const states = limits.map((limit, index) => stateOf(limit, next[index], points));
    const tightest = states.reduce((a, b) => (b.left < a.left ? b : a));
    if (tightest.left < 0) throw tooMany(headersOf(tightest), tightest.endsAtMs - nowMs);
    for (const window of next) window.used += points;
    return headersOf(tightest);
  };
}

/** The refusal of one request too many, as the platform words it. */
export function tooMany(headers: Readonly<Record<string, string>>, waitMs: number): Refusal {
  return new Refusal(429, "RateLimitExceeded", "Rate Limit Exceeded", {
    ...headers,
    "retry-after": String(Math.max(1, Math.ceil(waitMs / 1000))),
  });
}

interface LimitState {
  readonly limit: Limit;
  readonly left: number;
  readonly endsAtMs: number;
}

function stateOf(
  limit: Limit,
  window: { endsAtMs: number; used: number } | undefined,
  points: number,
): LimitState {
  const { used = 0, endsAtMs = 0 } = window ?? {};
  return { limit, left: limit.points - used - points, endsAtMs };
}

function headersOf({ limit, left, endsAtMs }: LimitState): Record<string, string> {
  return {
    "ratelimit-limit": String(limit.points),
    "ratelimit-remaining": String(Math.max(0, left)),
    "ratelimit-reset": String(Math.ceil(endsAtMs / 1000)),
    "ratelimit-policy": `${limit.points};w=${limit.perMs / 1000}`,
  };
}
