import { STATUS_CODES } from "node:http";
import type { ErrorRequestHandler, Response } from "express";
import { isUnreachable } from "../../shared/db/unreachable.ts";
import { AppError, type AppErrorKind, type FieldError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/logger.ts";

/** What each refusal becomes; no other file decides a status. */
const STATUS: Record<AppErrorKind, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  precondition_failed: 412,
  too_large: 413,
  unsupported_type: 415,
  unavailable: 503,
};

/** What a refusal is about that names no place itself: what the address names is not there, or is not ready for it. */
const PLACE: Record<AppErrorKind, string | null> = {
  invalid: "body",
  unauthenticated: "header.Authorization",
  forbidden: "header.Authorization",
  not_found: "address",
  conflict: "address",
  precondition_failed: "header.If-Match",
  too_large: "body",
  unsupported_type: "header.Content-Type",
  // Nothing in the request is at fault.
  unavailable: null,
};

interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly fields: readonly FieldError[];
}

/**
 * The last middleware: every error becomes a problem of RFC 9457. What is not ours to explain is logged and shown only as a
 * request id.
 */
export function problems(log: Logger): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    const problem = problemOf(error);
    const { requestId } = res.locals;
    if (problem.status === 500) log.error({ requestId, err: error }, "request failed");
    // The answer has begun: all that is left is to cut it off, so that nobody takes half of it for the whole.
    if (res.headersSent) return next(error);
    // A body that nobody read would be taken for the next request on this connection.
    if (!req.complete) res.set("Connection", "close");
    sendProblem(res, problem);
  };
}

function sendProblem(res: Response, { status, code, detail, fields }: Problem): void {
  if (status === 401) res.set("WWW-Authenticate", 'Bearer realm="postwell"');
  if (status === 503) res.set("Retry-After", "5");
  res.status(status).type("application/problem+json");
  const errors = fields.map(({ facts, ...field }) => ({ ...field, ...facts }));
  const title = STATUS_CODES[status] ?? "Error";
  const { requestId } = res.locals;
  const type = `urn:postwell:problem:${code}`;
  res.send(JSON.stringify({ type, title, status, code, detail, errors, requestId }));
}

function problemOf(error: unknown): Problem {
  if (error instanceof AppError) {
    const { kind, code, message: detail } = error;
    const fields = error.fields.length > 0 ? error.fields : at(PLACE[kind], code, detail);
    return { status: STATUS[kind], code, detail, fields };
  }
  if (isUnreachable(error)) {
    return {
      status: 503,
      code: "database.unavailable",
      detail: "The database does not answer at the moment. Nothing was changed; try again.",
      fields: [],
    };
  }
  return ofExpress(error) ?? internal();
}

function at(path: string | null, code: string, detail: string): FieldError[] {
  return path === null ? [] : [{ path, code, detail }];
}

function refusal(status: number, code: string, path: string, detail: string): Problem {
  return { status, code, detail, fields: at(path, code, detail) };
}

function internal(): Problem {
  return {
    status: 500,
    code: "internal",
    detail: "Something in Postwell went wrong. Report it with the request id.",
    fields: [],
  };
}

/** Errors that Express and its body readers throw: a path that cannot be decoded, a body that is cut off or too long. */
function ofExpress(error: unknown): Problem | null {
  if (!(error instanceof Error) || !("status" in error)) return null;
  if (error.status === 413) {
    const detail = "The body is larger than 1 MB. Split it into several requests.";
    return refusal(413, "request.too_large", "body", detail);
  }
  if (error.status === 415) {
    const detail =
      "The body is packed in a way that is not known here. Send it as it is, or with gzip.";
    return refusal(415, "request.encoding_unsupported", "header.Content-Encoding", detail);
  }
  if (typeof error.status !== "number" || error.status < 400 || error.status > 499) return null;
  const place = error instanceof URIError ? "address" : "body";
  const detail = "The request cannot be read: its address, headers or body are damaged.";
  return refusal(400, "request.malformed", place, detail);
}
