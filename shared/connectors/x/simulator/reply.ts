import type { IncomingMessage, ServerResponse } from "node:http";
import type { Fault } from "../../simulator.ts";
import type { Account, World } from "./world.ts";

/** What becomes of a request. */
export type Reply =
  | { readonly status: number; readonly body: unknown; readonly headers?: Record<string, string> }
  | { readonly html: number }
  | { readonly connection: "hang" | "reset" | "cut_off" };

/** Misbehaviour that only X knows. Switched on like the faults of all simulators. */
export type Trap =
  /** 402: the app's prepaid credits are used up. */
  | "credits_depleted"
  /** 403: X takes the post for a reply to somebody who did not ask for it. */
  | "reply_gate"
  /** 403: the post before is not yet visible where replies are accepted. */
  | "parent_lags"
  /** 429 by the quota of the day, which has headers of its own. */
  | "day_quota"
  /** The post is public, and was the last one that the app may make today. */
  | "app_quota_spent"
  /** 403 with a page of the firewall in front of X. */
  | "firewall"
  /** 400 whose message quotes the text. */
  | "text_quoted"
  /** The post is public, but its answer ends in the middle. */
  | "cut_off_after_success"
  /** Compressed, whatever the client accepts, and broken; the post is public. */
  | "garbled_after_success"
  /** The time from which posts are asked for is not heeded. */
  | "start_time_ignored"
  /** Processing of an upload never ends. */
  | "processing_stuck"
  /** Renewed, but without saying the next refresh token; the old one goes on working. */
  | "refresh_token_kept"
  /** The renewal fails with 5xx. */
  | "renewal_unavailable"
  /** The tokens are renewed, but the answer is 5xx: nobody gets the new ones. */
  | "renewal_lost";

/** One request, as the endpoints see it. */
export interface Incoming {
  readonly world: World;
  readonly request: IncomingMessage;
  readonly url: URL;
  readonly body: Buffer;
  /** True where the fault is switched on; counts it down. */
  readonly take: (name: Fault) => boolean;
  readonly springs: (name: Trap) => boolean;
}

/** A request with a valid token. */
export interface Authorized extends Incoming {
  readonly account: Account;
}

/** X's problem document. */
export function problem(
  status: number,
  title: string,
  detail: string,
  more: { type?: string; errors?: unknown; headers?: Record<string, string> } = {},
): Reply {
  const { type = "about:blank", errors, headers } = more;
  const body = { ...(errors === undefined ? {} : { errors }), title, detail, type, status };
  return { status, body, ...(headers && { headers }) };
}

/** 400 in X's form: one general sentence above what is wrong in particular. */
export function invalid(parameter: string, value: unknown, message: string): Reply {
  return problem(400, "Invalid Request", "One or more parameters to your request was invalid.", {
    type: "https://api.twitter.com/2/problems/invalid-request",
    errors: [{ parameters: { [parameter]: [String(value)] }, message }],
  });
}

export function unavailable(): Reply {
  return problem(503, "Service Unavailable", "Service Unavailable");
}

/** Query parameters that the endpoint does not know are refused, as X does; null where all is well. */
export function strangeParameter({ url }: Incoming, known: readonly string[]): Reply | null {
  const strange = [...url.searchParams.keys()].find((name) => !known.includes(name));
  if (strange === undefined) return null;
  const message = `The query parameter [${strange}] is not one of [${known.join(",")}]`;
  return invalid(strange, url.searchParams.get(strange), message);
}

/** A JSON object with no other properties than the known ones, or the refusal. */
export function readJson(
  { request, body }: Incoming,
  known: readonly string[],
): { readonly value: Record<string, unknown> } | { readonly refusal: Reply } {
  if (!request.headers["content-type"]?.startsWith("application/json")) {
    return {
      refusal: problem(415, "Unsupported Media Type", "Content-Type must be application/json."),
    };
  }
  const value = parseObject(body.toString());
  if (value === null) return { refusal: invalid("body", "", "Request body is not a JSON object.") };
  const strange = Object.keys(value).find((name) => !known.includes(name));
  if (strange === undefined) return { value };
  const message = `$.${strange}: is not defined in the schema and the schema does not allow additional properties`;
  return { refusal: invalid(`$.${strange}`, "", message) };
}

/** True for a JSON object, and not for an array or null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** Writes the reply, or ends the connection as it says. */
export function write(reply: Reply, response: ServerResponse): void {
  if ("html" in reply) {
    response.writeHead(reply.html, { "content-type": "text/html; charset=utf-8" });
    response.end("<!doctype html><title>Something went wrong</title><p>Try again in a minute.");
  } else if ("connection" in reply) {
    if (reply.connection === "reset") response.socket?.resetAndDestroy();
    if (reply.connection === "cut_off") {
      response.writeHead(201, { "content-type": "application/json", "content-length": "500" });
      response.write('{"data":{"id":"', () => response.socket?.destroy());
    }
  } else if (reply.status === 204) {
    response.writeHead(204, reply.headers).end();
  } else {
    const body = typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body);
    const headers = { "content-length": String(Buffer.byteLength(body)), ...reply.headers };
    response.writeHead(reply.status, {
      "content-type": "application/json; charset=utf-8",
      ...headers,
    });
    response.end(body);
  }
}
