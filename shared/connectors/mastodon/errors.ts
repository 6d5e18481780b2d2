import * as z from "zod";
import { ConnectorError } from "../error.ts";
import type { Answer } from "../http.ts";

/** What a request was for: it decides what a refusal means, and whether a lost answer may have published something. */
export type Purpose = "read" | "upload" | "commit" | "remove";

/** `error` is a sentence, except in OAuth errors, where it is a code and `error_description` the sentence. */
const ErrorBody = z.object({
  error: z.string().min(1),
  error_description: z.string().min(1).optional().catch(undefined),
});

/** The window of the general limit, for servers that do not say when it ends. */
const RATE_WINDOW_MS = 5 * 60_000;

/** As much of the server's sentence as a person reads. */
const MAX_MESSAGE_LENGTH = 500;

/**
 * The error for an answer that is no success. Only status, headers and the error fields count: sentences are translated
 * and change. Proxies in front of a server answer HTML, which says nothing about the post or the account.
 * Source: https://docs.joinmastodon.org/entities/Error/ (read 2026-11-22)
 */
export function refusal(answer: Answer, purpose: Purpose, now: Date): ConnectorError {
  const body = ErrorBody.safeParse(answer.json);
  const kind = kindOf(answer.status, purpose, body.success);
  return new ConnectorError(kind, {
    platformMessage: body.success ? sentenceOf(body.data) : null,
    platformCode: String(answer.status),
    until: kind === "rate_limited" ? resetOf(answer.headers, now) : null,
  });
}

/** The kind of failure when an answer is lost, or is none that the API gives. */
export function lostAnswer(purpose: Purpose): "unknown_outcome" | "unavailable" {
  return purpose === "commit" ? "unknown_outcome" : "unavailable";
}

/** True where the server itself, and not a proxy before it, says that there is no such thing. */
export function isMissing(answer: Answer): boolean {
  return (
    (answer.status === 404 || answer.status === 410) && ErrorBody.safeParse(answer.json).success
  );
}

function kindOf(status: number, purpose: Purpose, isFromApi: boolean): ConnectorError["kind"] {
  if (status < 400 || status >= 500 || status === 408) return lostAnswer(purpose);
  if (status === 401) return "reauthorize";
  if (status === 429) return "rate_limited";
  // A proxy's own ceiling for uploads comes as HTML.
  if (status === 413) return purpose === "upload" ? "media_invalid" : "content_rejected";
  if (!isFromApi) return "unavailable";
  if (status === 403) return "permission";
  if (status === 404 || status === 410) return "gone";
  if (status === 422 && purpose === "upload") return "media_invalid";
  if (status === 422 && purpose === "commit") return "content_rejected";
  return "bug";
}

function sentenceOf(body: z.infer<typeof ErrorBody>): string {
  return (body.error_description ?? body.error).slice(0, MAX_MESSAGE_LENGTH);
}

/**
 * Mastodon gives an ISO 8601 instant; proxies give `Retry-After`.
 * Source: https://docs.joinmastodon.org/api/rate-limits/ (read 2026-11-22)
 */
function resetOf(headers: Headers, now: Date): Date {
  const reset = Date.parse(headers.get("x-ratelimit-reset") ?? "");
  if (Number.isFinite(reset)) return new Date(reset);
  const waitMs = retryAfterMs(headers, now);
  return new Date(now.getTime() + (waitMs ?? RATE_WINDOW_MS));
}

/** How long `Retry-After` asks to wait; null where it is absent or unreadable. */
export function retryAfterMs(headers: Headers, now: Date): number | null {
  const value = headers.get("retry-after")?.trim() ?? "";
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const at = Date.parse(value);
  return Number.isFinite(at) ? Math.max(0, at - now.getTime()) : null;
}
