import { ConnectorError } from "./error.ts";

/** A platform's answer, read to the end. `json` is undefined where the body is no JSON (an HTML error page). */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
}

/** More than any API answer that we ask for; a larger body is a broken or hostile server. */
const MAX_ANSWER_BYTES = 2_000_000;

/** Codes of failures in which no byte of the request can have reached the platform. */
const NOT_SENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/**
 * Sends one request and reads its whole answer. `onLostAnswer` is the kind to throw when the request may have arrived but
 * the answer did not: `unknown_outcome` for a commit, `unavailable` for everything that may be repeated.
 * @throws {ConnectorError} `unavailable` where surely nothing was sent; otherwise `onLostAnswer`
 */
export async function exchange(
  fetcher: typeof fetch,
  request: { url: string; init: RequestInit },
  onLostAnswer: "unknown_outcome" | "unavailable",
): Promise<Answer> {
  try {
    const response = await fetcher(request.url, { redirect: "manual", ...request.init });
    const text = await readCapped(response);
    return { status: response.status, headers: response.headers, text, json: parseJson(text) };
  } catch (cause) {
    const code = errorCode(cause);
    const kind = wasNeverSent(cause) ? "unavailable" : onLostAnswer;
    throw new ConnectorError(kind, { platformCode: code, cause });
  }
}

/** True where a failed request cannot have reached the platform, so that sending it again is safe. */
export function wasNeverSent(error: unknown): boolean {
  const code = errorCode(error);
  return code !== null && (NOT_SENT.has(code) || code === "POSTWELL_PRIVATE_ADDRESS");
}

/** The system's or library's code of a failed request, looked for down the chain of causes; null where there is none. */
export function errorCode(error: unknown): string | null {
  // By shape, not by class: an error may come from another realm, where `instanceof` says no.
  if (typeof error !== "object" || error === null) return null;
  if ("code" in error && typeof error.code === "string") return error.code;
  const inner =
    "errors" in error && Array.isArray(error.errors) ? errorCode(error.errors[0]) : null;
  return inner ?? ("cause" in error ? errorCode(error.cause) : null);
}

/** The host that no name server knows, which is why a request failed; null where it failed for another reason. */
export function hostNotFound(error: unknown): string | null {
  if (typeof error !== "object" || error === null) return null;
  if ("code" in error && error.code === "ENOTFOUND" && "hostname" in error) {
    return typeof error.hostname === "string" ? error.hostname : null;
  }
  return "cause" in error ? hostNotFound(error.cause) : null;
}

async function readCapped(response: Response): Promise<string> {
  if (!response.body) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES) throw new Error("The platform's answer is too large.");
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
