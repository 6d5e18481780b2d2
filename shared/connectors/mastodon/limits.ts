import type { MastodonCall } from "./access.ts";

/**
 * Passes on what the headers of an answer say is left of the limit that it counted against. Reset is an instant in ISO 8601.
 * Source: https://docs.joinmastodon.org/api/rate-limits/ (read 2026-11-22)
 */
export function observeLimit(headers: Headers, { observeLimit: tell }: MastodonCall): void {
  const remaining = headers.get("x-ratelimit-remaining") ?? "";
  const until = new Date(headers.get("x-ratelimit-reset") ?? "");
  if (!/^\d{1,9}$/.test(remaining) || Number.isNaN(until.getTime())) return;
  tell?.({ scope: "channel", remaining: Number(remaining), until });
}
