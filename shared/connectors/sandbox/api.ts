import type * as z from "zod";
import type { Call } from "../connector.ts";
import { ConnectorError } from "../error.ts";
import { exchange, type Answer } from "../http.ts";
import type { Credentials, Settings } from "./credentials.ts";
import { refusalOf } from "./errors.ts";
import { HOST_KEY_HEADER } from "./network/host-key.ts";

export type SandboxCall = Call<Credentials, Settings>;

export interface ApiRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below `/api`, with its query. */
  readonly path: string;
  readonly body?: {
    readonly contentType: string;
    readonly content: string | Uint8Array<ArrayBuffer>;
  };
  /** What a lost or unreadable answer means: `unknown_outcome` for a commit alone. */
  readonly onLostAnswer?: "unknown_outcome" | "unavailable";
}

/**
 * One request to the network's API; its answer must have the given shape.
 * @throws {ConnectorError} and nothing else
 */
export async function request<T>(
  call: SandboxCall,
  { method, path, body, onLostAnswer = "unavailable" }: ApiRequest,
  shape: z.ZodType<T>,
): Promise<T> {
  const headers: Record<string, string> = {};
  if (call.credentials.token) headers["authorization"] = `Bearer ${call.credentials.token}`;
  if (call.settings.hostKey) headers[HOST_KEY_HEADER] = call.settings.hostKey;
  if (body) headers["content-type"] = body.contentType;
  const init = { method, headers, body: body?.content ?? null, signal: call.signal };
  const url = `${call.settings.baseUrl}/api${path}`;
  const answer = await exchange(call.fetch, { url, init }, onLostAnswer);
  if (answer.status >= 300) throw refusalOf(answer, { now: call.now(), onLostAnswer });
  return read(answer, shape, onLostAnswer);
}

export function json(content: unknown): NonNullable<ApiRequest["body"]> {
  return { contentType: "application/json", content: JSON.stringify(content) };
}

function read<T>(answer: Answer, shape: z.ZodType<T>, kind: "unknown_outcome" | "unavailable"): T {
  const parsed = shape.safeParse(answer.json);
  if (parsed.success) return parsed.data;
  throw new ConnectorError(kind, { platformCode: String(answer.status) });
}
