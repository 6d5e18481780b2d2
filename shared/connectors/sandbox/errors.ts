import * as z from "zod";
import type { FailureKind } from "../../domain/failure.ts";
import { ConnectorError } from "../error.ts";
import type { Answer } from "../http.ts";

const ErrorBody = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

const KINDS: Readonly<Record<string, FailureKind>> = {
  signed_out: "reauthorize",
  not_yours: "permission",
  host_key_wrong: "permission",
  text_refused: "content_rejected",
  handle_invalid: "permission",
  picture_invalid: "media_invalid",
  picture_missing: "media_invalid",
  too_large: "media_invalid",
  parent_missing: "gone",
  post_missing: "gone",
  removed: "gone",
  rate_limited: "rate_limited",
};

/** How long to wait when the network says "too many" and not until when. */
const DEFAULT_WAIT_MS = 60_000;

/** What an answer other than success means. A code that is not known is a bug on our side: both sides are ours. */
export function refusalOf(
  answer: Answer,
  { now, onLostAnswer }: { now: Date; onLostAnswer: "unknown_outcome" | "unavailable" },
): ConnectorError {
  const body = ErrorBody.safeParse(answer.json).data?.error ?? null;
  const details = {
    platformCode: body?.code ?? String(answer.status),
    platformMessage: body?.message ?? null,
  };
  if (answer.status >= 500) return new ConnectorError(onLostAnswer, details);
  const kind = KINDS[body?.code ?? ""] ?? "bug";
  const until = kind === "rate_limited" ? untilOf(answer.headers, now) : null;
  return new ConnectorError(kind, { ...details, until });
}

function untilOf(headers: Headers, now: Date): Date {
  const seconds = Number(headers.get("retry-after") ?? "");
  return new Date(now.getTime() + (seconds > 0 ? seconds * 1000 : DEFAULT_WAIT_MS));
}
