import type { BlueskyCall } from "./credentials.ts";

/** The points of a creation, which is the most that a write of ours may cost. */
const POINTS_PER_POST = 3;

/**
 * Passes on what the headers of an answer say about the account's points, rounded down to posts.
 * Source: https://docs.bsky.app/docs/advanced-guides/rate-limits (read 2026-11-22)
 */
export function observeLimit(headers: Headers, { observeLimit: tell }: BlueskyCall): void {
  const remaining = headers.get("ratelimit-remaining") ?? "";
  const reset = headers.get("ratelimit-reset") ?? "";
  if (!/^\d{1,9}$/.test(remaining) || !/^\d{1,11}$/.test(reset)) return;
  tell?.({
    scope: "channel",
    remaining: Math.floor(Number(remaining) / POINTS_PER_POST),
    until: new Date(Number(reset) * 1_000),
  });
}
