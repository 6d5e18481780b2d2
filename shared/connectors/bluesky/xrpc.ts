import type * as z from "zod";
import { ConnectorError } from "../error.ts";
import { exchange } from "../http.ts";
import type { BlueskyCall } from "./credentials.ts";
import { failureOf, type Meaning } from "./errors.ts";

/** A call of one method. With `input` it is a procedure (POST), otherwise a query (GET). */
export interface XrpcRequest {
  readonly base: string;
  readonly method: string;
  /** May name a parameter more than once. */
  readonly params?: readonly (readonly [string, string])[];
  readonly token?: string;
  readonly input?: XrpcInput;
}

export type XrpcInput =
  | { readonly json: unknown }
  | { readonly bytes: Uint8Array<ArrayBuffer>; readonly contentType: string }
  | "nothing";

/**
 * Calls one method and reads its answer by `schema`.
 * @throws {ConnectorError} as `meaning` says; a success that cannot be read is a lost answer
 */
export async function xrpc<Output>(
  call: BlueskyCall,
  request: XrpcRequest,
  expected: {
    readonly schema: z.ZodType<Output>;
    readonly meaning: Meaning;
    /** Told of every answer, also of a refusal. */
    readonly onHeaders?: (headers: Headers) => void;
  },
): Promise<Output> {
  const { schema, meaning, onHeaders } = expected;
  const sent = { url: urlOf(request), init: { ...initOf(request), signal: call.signal } };
  const answer = await exchange(call.fetch, sent, meaning.lost);
  onHeaders?.(answer.headers);
  if (answer.status < 200 || answer.status >= 300) throw failureOf(answer, meaning, call.now());
  const output = schema.safeParse(answer.json);
  if (output.success) return output.data;
  throw new ConnectorError(meaning.lost, { platformCode: String(answer.status) });
}

function urlOf({ base, method, params = [] }: XrpcRequest): string {
  const url = new URL(`${base}/xrpc/${method}`);
  for (const [name, value] of params) url.searchParams.append(name, value);
  return url.href;
}

function initOf({ token, input }: XrpcRequest): RequestInit {
  const headers = new Headers({ accept: "application/json" });
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  if (input === undefined) return { method: "GET", headers };
  if (input === "nothing") return { method: "POST", headers };
  if ("json" in input) {
    headers.set("content-type", "application/json");
    return { method: "POST", headers, body: JSON.stringify(input.json) };
  }
  headers.set("content-type", input.contentType);
  return { method: "POST", headers, body: input.bytes };
}
