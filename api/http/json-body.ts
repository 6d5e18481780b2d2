import express, { type Request, type RequestHandler } from "express";
import { AppError } from "../../shared/errors.ts";

const MAX_BYTES = 1_000_000;

/** Deeper than any request of ours; without a limit a small hostile body could exhaust the stack. */
const MAX_DEPTH = 32;

/**
 * Reads a JSON body of at most 1 MB into `req.body`, which is undefined where there is none.
 * @throws {AppError} invalid `request.not_utf8`, `request.not_json`, `request.too_deep`; too_large `request.too_large`;
 *   unsupported_type `request.type_unsupported`, `request.charset_unsupported`
 */
export function jsonBody(): RequestHandler[] {
  const readBytes = express.raw({ type: () => true, limit: MAX_BYTES });
  return [
    (req, _res, next) => {
      if (hasBody(req)) requireJson(req.headers["content-type"] ?? "");
      next();
    },
    readBytes,
    (req, _res, next) => {
      const bytes: unknown = req.body;
      const isEmpty = !Buffer.isBuffer(bytes) || bytes.length === 0;
      req.body = isEmpty ? undefined : decode(bytes);
      next();
    },
  ];
}

/** JSON has one encoding (RFC 8259); a charset that says otherwise would be believed by nobody, so it is not passed over. */
function requireJson(contentType: string): void {
  const [type = "", ...parameters] = contentType.toLowerCase().split(";");
  if (!/^application\/([\w.-]+\+)?json$/.test(type.trim())) {
    throw new AppError(
      "unsupported_type",
      "request.type_unsupported",
      "Send the body as JSON, with the header Content-Type: application/json.",
    );
  }
  for (const parameter of parameters) {
    const [name = "", value = ""] = parameter.split("=").map((side) => side.trim());
    if (name !== "charset" || /^"?utf-?8"?$/.test(value)) continue;
    throw new AppError(
      "unsupported_type",
      "request.charset_unsupported",
      "JSON is read as UTF-8 and in no other encoding. Send it so, with Content-Type: application/json.",
    );
  }
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
  return new AppError("invalid", "request.not_json", "The body is no JSON, or is cut off.");
}

function hasBody({ headers }: Request): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

function depthExceeds(value: unknown, limit: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (limit === 0) return true;
  return Object.values(value).some((item) => depthExceeds(item, limit - 1));
}
