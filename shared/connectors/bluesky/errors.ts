import * as z from "zod";
import { ConnectorError } from "../error.ts";
import type { Answer } from "../http.ts";

type FailureKind = ConnectorError["kind"];

/** What an answer that is no success means for the request that got it. */
export interface Meaning {
  /** The platform refused this very input. */
  readonly refused: FailureKind;
  /** It cannot be told whether the request had an effect. */
  readonly lost: "unknown_outcome" | "unavailable";
}

/**
 * Error names that say more than the status does.
 * Source: lexicons of the methods used, and the reference PDS (read 2026-11-22)
 */
const KIND_BY_NAME: ReadonlyMap<string, FailureKind> = new Map<string, FailureKind>([
  ["AuthMissing", "reauthorize"],
  ["AuthenticationRequired", "reauthorize"],
  ["AuthFactorTokenRequired", "reauthorize"],
  ["ExpiredToken", "reauthorize"],
  ["InvalidToken", "reauthorize"],
  ["AccountDeactivated", "permission"],
  ["AccountSuspended", "permission"],
  ["AccountTakedown", "permission"],
  ["BlobTooLarge", "media_invalid"],
  ["InvalidBlob", "media_invalid"],
  ["InvalidMimeType", "media_invalid"],
  ["InvalidImageDimensions", "media_invalid"],
  // An upload that no post uses is thrown away after a while: the next `prepare` uploads again.
  ["BlobNotFound", "unavailable"],
  // Under our own record key there is something else than what we were about to write.
  ["InvalidSwap", "duplicate"],
]);

const Problem = z.object({ error: z.string(), message: z.string().optional() });

const MAX_MESSAGE_LENGTH = 300;

/** Turns an answer that is no success into the error to throw. Reads status, headers and the named error, never prose. */
export function failureOf(answer: Answer, meaning: Meaning, now: Date): ConnectorError {
  const problem = Problem.safeParse(answer.json).data;
  const kind = kindOf(answer.status, problem?.error, meaning);
  return new ConnectorError(kind, {
    platformMessage: problem?.message?.slice(0, MAX_MESSAGE_LENGTH) ?? null,
    platformCode: problem?.error ?? String(answer.status),
    until: kind === "rate_limited" ? untilOf(answer.headers, now) : null,
  });
}

function kindOf(status: number, name: string | undefined, meaning: Meaning): FailureKind {
  if (status === 429) return "rate_limited";
  if (status < 300 || status >= 500 || status === 408) return meaning.lost;
  const named = KIND_BY_NAME.get(name ?? "");
  if (named) return named;
  if (status === 401) return "reauthorize";
  if (status === 403) return "permission";
  if (status === 400 || status === 413 || status === 422) return meaning.refused;
  // A redirect, a missing method: no server of this network, or one that is being set up.
  return "unavailable";
}

/** `ratelimit-reset` is an epoch in seconds; `retry-after` stands in where it is missing, in seconds or as a date. */
function untilOf(headers: Headers, now: Date): Date | null {
  const reset = headers.get("ratelimit-reset") ?? "";
  if (/^\d{1,11}$/.test(reset)) return new Date(Number(reset) * 1000);
  const retryAfter = headers.get("retry-after") ?? "";
  if (/^\d{1,9}$/.test(retryAfter)) return new Date(now.getTime() + Number(retryAfter) * 1000);
  const date = new Date(retryAfter);
  return Number.isNaN(date.getTime()) ? null : date;
}
