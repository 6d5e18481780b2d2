import type { IncomingHttpHeaders } from "node:http";
import * as z from "zod";
import { ConnectorError } from "../error.ts";
import { epochSeconds } from "./limits.ts";

type FailureKind = ConnectorError["kind"];

/** What a request is for: the same status means different things for different requests. */
export interface Purpose {
  /** When the request may have arrived and the answer did not. */
  readonly onLostAnswer: "unknown_outcome" | "unavailable";
  /** When X calls the request itself wrong. */
  readonly onInvalid: FailureKind;
  /** The post's text: a sentence of the platform that quotes it is not passed on. */
  readonly secret?: string;
}

export const COMMIT: Purpose = { onLostAnswer: "unknown_outcome", onInvalid: "content_rejected" };
export const UPLOAD: Purpose = { onLostAnswer: "unavailable", onInvalid: "media_invalid" };
export const READ: Purpose = { onLostAnswer: "unavailable", onInvalid: "bug" };
/** A refresh token that was spent by a lost answer is refused the next time, which tells the truth. */
export const RENEWAL: Purpose = { onLostAnswer: "unavailable", onInvalid: "reauthorize" };

/** An answer with a status of 400 or more, or one that could not be read. */
export interface Refusal {
  readonly status: number;
  readonly body: unknown;
  readonly headers: IncomingHttpHeaders;
}

/** X's problem document, and the two fields in which its token endpoint differs. */
const Problem = z.object({
  title: z.string().optional(),
  detail: z.string().optional(),
  type: z.string().optional(),
  error: z.string().optional(),
  error_description: z.string().optional(),
  errors: z
    .array(
      z.object({
        message: z.string().optional(),
        parameters: z.record(z.string(), z.unknown()).optional(),
      }),
    )
    .optional(),
});

type Problem = z.infer<typeof Problem>;

/** X's windows for posting are this long, where an answer forgets to say when the next one begins. */
const WINDOW_MS = 15 * 60_000;

/**
 * 403 has no code of its own for these: `type` is `about:blank` and only `detail` tells them apart. First match counts.
 * X documents none of these sentences; users of the API report them so (read 2026-11-22).
 */
const FORBIDDEN: readonly (readonly [RegExp, FailureKind])[] = [
  [/duplicate content/i, "duplicate"],
  [
    /not been mentioned or otherwise engaged|reply to this conversation is not allowed/i,
    "policy_blocked",
  ],
  [/deleted or not visible/i, "gone"],
  [/text is too long/i, "content_rejected"],
  [/video/i, "media_invalid"],
];

/** Translates an answer that refuses the request. `now` serves only where a rate limit names no end. */
export function toConnectorError(refusal: Refusal, purpose: Purpose, now: Date): ConnectorError {
  const problem = Problem.safeParse(refusal.body).data ?? null;
  const limit = refusal.status === 429 ? limitOf(refusal.headers, problem, now) : null;
  const kind = limit?.kind ?? kindOf(refusal.status, problem, purpose);
  return new ConnectorError(kind, {
    platformMessage: sentenceOf(problem, purpose.secret),
    platformCode: codeOf(problem) ?? String(refusal.status),
    until: limit?.until ?? null,
  });
}

function kindOf(status: number, problem: Problem | null, purpose: Purpose): FailureKind {
  if (status >= 500 || status === 408) return purpose.onLostAnswer;
  if (status === 402) return "billing";
  // A page of a proxy or a firewall in front of X: it says nothing about the account or the post.
  if (problem === null) return "unavailable";
  if (status === 401) return isAppRefused(problem) ? "permission" : "reauthorize";
  if (status === 403) return forbidden(problem);
  if (status === 404) return "gone";
  if (status === 400 || status === 413 || status === 415 || status === 422) {
    if (isAppRefused(problem)) return "permission";
    return blamesMedia(problem) ? "media_invalid" : purpose.onInvalid;
  }
  return "bug";
}

function forbidden(problem: Problem): FailureKind {
  const detail = problem.detail ?? "";
  return FORBIDDEN.find(([pattern]) => pattern.test(detail))?.[1] ?? "permission";
}

/** The token endpoint does not know our client id or secret: no user can help, the operator must. */
function isAppRefused(problem: Problem): boolean {
  return problem.error === "invalid_client" || problem.error === "unauthorized_client";
}

function blamesMedia(problem: Problem): boolean {
  const names = (problem.errors ?? []).flatMap((error) => Object.keys(error.parameters ?? {}));
  return names.some((name) => /^(\$\.)?media\b/.test(name));
}

/** The day's quotas are in headers of their own, and a monthly cap in the problem's type. */
function limitOf(
  headers: IncomingHttpHeaders,
  problem: Problem | null,
  now: Date,
): { kind: FailureKind; until: Date | null } {
  for (const scope of ["user", "app"]) {
    if (headers[`x-${scope}-limit-24hour-remaining`] === "0") {
      const until = epochSeconds(headers[`x-${scope}-limit-24hour-reset`]);
      return { kind: "quota_exhausted", until };
    }
  }
  if (codeOf(problem) === "usage-capped") return { kind: "quota_exhausted", until: null };
  const until = epochSeconds(headers["x-rate-limit-reset"]);
  return { kind: "rate_limited", until: until ?? new Date(now.getTime() + WINDOW_MS) };
}

/** The last word of the problem's type, such as `invalid-request`, or the token endpoint's `error`. */
function codeOf(problem: Problem | null): string | null {
  const type = problem?.type && problem.type !== "about:blank" ? problem.type : null;
  return type?.split(/[/#]/).at(-1) || problem?.error || null;
}

/** The sentence that says most: X repeats one general `detail` above what is wrong in particular. */
function sentenceOf(problem: Problem | null, secret: string | undefined): string | null {
  const sentence =
    problem?.error_description ??
    problem?.errors?.find((error) => error.message)?.message ??
    problem?.detail ??
    problem?.title ??
    null;
  if (sentence === null || !quotes(sentence, secret)) return sentence;
  return quotes(problem?.detail ?? "", secret) ? null : (problem?.detail ?? null);
}

/** Compares the beginning only: X shortens what it quotes. */
function quotes(sentence: string, secret: string | undefined): boolean {
  return secret !== undefined && secret.length >= 4 && sentence.includes(secret.slice(0, 20));
}
