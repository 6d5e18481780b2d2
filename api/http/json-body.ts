import express, { type RequestHandler } from "express";
import { AppError } from "../../shared/errors.ts";

const MAX_BYTES = 1_000_000;

/** Deeper than any request of ours; without a limit a small hostile body could exhaust the stack. */
const MAX_DEPTH = 32;

/**
 * Reads a JSON body of at most 1 MB into `req.body`. Other kinds of bodies are left to the route that expects them.
 * @throws {AppError} invalid `request.not_utf8`, `request.not_json`, `request.too_deep`; too_large `request.too_large`
 */
export function jsonBody(): RequestHandler[] {
  const readBytes = express.raw({ type: ["application/json", "+json"], limit: MAX_BYTES });
  return [
    readBytes,
    (req, _res, next) => {
      const bytes: unknown = req.body;
      if (Buffer.isBuffer(bytes)) req.body = bytes.length === 0 ? undefined : decode(bytes);
      else if (hasOtherBody(req.headers)) throw notJson();
      next();
    },
  ];
}

function decode(bytes: Buffer): unknown {
  const value = parseJson(decodeUtf8(bytes));
  if (depthExceeds(value, MAX_DEPTH)) {
    throw new AppError("invalid", "request.too_deep", `The JSON is nested over ${MAX_DEPTH} deep.`);
  }
  return value;
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new AppError(
      "invalid",
      "request.not_utf8",
      "The body is not valid UTF-8. Save or send it in that encoding.",
    );
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the body, so it is not passed on.
    throw notJson();
  }
}

function notJson(): AppError {
  return new AppError(
    "invalid",
    "request.not_json",
    "Send the body as JSON, with the header Content-Type: application/json.",
  );
}

function hasOtherBody(headers: {
  "content-length"?: string | undefined;
  "transfer-encoding"?: string | undefined;
  "content-type"?: string | undefined;
}): boolean {
  const isEmpty =
    headers["transfer-encoding"] === undefined && (headers["content-length"] ?? "0") === "0";
  const isUpload = headers["content-type"]?.startsWith("multipart/form-data") ?? false;
  return !isEmpty && !isUpload;
}

function depthExceeds(value: unknown, limit: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (limit === 0) return true;
  return Object.values(value).some((item) => depthExceeds(item, limit - 1));
}
