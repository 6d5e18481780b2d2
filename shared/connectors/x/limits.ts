import type { IncomingHttpHeaders } from "node:http";
import { ApiResponseError } from "twitter-api-v2";
import type { Call, ObservedLimit } from "../connector.ts";

/**
 * Whose each limit is, and how its headers are called. X documents the first one; the quotas of the day occur without being
 * documented, so their absence means nothing.
 * Source: https://docs.x.com/x-api/fundamentals/rate-limits (read 2026-11-22)
 */
const LIMITS: readonly (readonly [ObservedLimit["scope"], string])[] = [
  ["channel", "x-rate-limit"],
  ["channel", "x-user-limit-24hour"],
  ["app", "x-app-limit-24hour"],
];

/** Passes on what the answer to a post says about limits, whether X took the post or not. */
export async function observingLimits<T extends { readonly headers: IncomingHttpHeaders }>(
  { observeLimit }: Pick<Call, "observeLimit">,
  send: () => Promise<T>,
): Promise<T> {
  const tell = (headers: IncomingHttpHeaders): void => {
    for (const limit of limitsIn(headers)) observeLimit?.(limit);
  };
  try {
    const response = await send();
    tell(response.headers);
    return response;
  } catch (error) {
    if (error instanceof ApiResponseError) tell(error.headers);
    throw error;
  }
}

/** Every limit of which the headers tell both how much is left and when it begins anew. */
function limitsIn(headers: IncomingHttpHeaders): ObservedLimit[] {
  return LIMITS.flatMap(([scope, name]) => {
    const remaining = headers[`${name}-remaining`];
    const until = epochSeconds(headers[`${name}-reset`]);
    if (until === null || typeof remaining !== "string" || !/^-?\d{1,9}$/.test(remaining))
      return [];
    return [{ scope, remaining: Number(remaining), until }];
  });
}

/** The instant of a header in seconds since 1970; null where it holds none. */
export function epochSeconds(header: string | string[] | undefined): Date | null {
  return typeof header === "string" && /^\d{1,12}$/.test(header)
    ? new Date(Number(header) * 1000)
    : null;
}
