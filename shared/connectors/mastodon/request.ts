import type * as z from "zod";
import { ConnectorError } from "../error.ts";
import { exchange, type Answer } from "../http.ts";
import { serverAddress, type MastodonCall } from "./access.ts";
import { lostAnswer, refusal, type Purpose } from "./errors.ts";

/** `path` begins with a slash and holds its own query. `json` and `body` exclude each other. */
export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly body?: Uint8Array<ArrayBuffer>;
}

/**
 * Sends one request as the channel's account, and hands back whatever status came.
 * @throws {ConnectorError} only where no answer came: `unknown_outcome` for a commit that may have arrived, else `unavailable`
 */
export function ask(call: MastodonCall, request: ApiRequest, purpose: Purpose): Promise<Answer> {
  const { method, path, json, body } = request;
  const headers: Record<string, string> = {
    ...request.headers,
    accept: "application/json",
    authorization: `Bearer ${call.credentials.accessToken}`,
  };
  const init: RequestInit = { method, headers, signal: call.signal };
  if (json !== undefined) {
    headers["content-type"] = "application/json";
    init.body = JSON.stringify(json);
  }
  if (body !== undefined) init.body = body;
  return exchange(call.fetch, { url: serverAddress(call) + path, init }, lostAnswer(purpose));
}

/**
 * The body of a success, checked. A success that is no such JSON (a login page, a proxy's greeting) is a lost answer.
 * @throws {ConnectorError}
 */
export function bodyOf<T>(
  answer: Answer,
  schema: z.ZodType<T>,
  { purpose, now }: { purpose: Purpose; now: Date },
): T {
  if (answer.status < 200 || answer.status >= 300) throw refusal(answer, purpose, now);
  const body = schema.safeParse(answer.json);
  if (body.success) return body.data;
  throw new ConnectorError(lostAnswer(purpose), { platformCode: String(answer.status) });
}

/** Reads one thing: `ask` and `bodyOf` for what may be repeated. */
export async function read<T>(call: MastodonCall, path: string, schema: z.ZodType<T>): Promise<T> {
  const answer = await ask(call, { method: "GET", path }, "read");
  return bodyOf(answer, schema, { purpose: "read", now: call.now() });
}
