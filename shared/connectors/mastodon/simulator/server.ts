import type { IncomingMessage } from "node:http";
import { readInstanceV1, readInstanceV2 } from "./about.ts";
import type { Exchange, Server } from "./exchange.ts";
import type { StoredAccount } from "./network.ts";
import type { ServerOptions } from "./options.ts";
import { errorPage, refused, type Reply } from "./reply.ts";
import { findRoute } from "./routes.ts";
import { keyedStatus } from "./statuses.ts";

interface Answered {
  readonly reply: Reply;
  /** Those of the rate limit. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The descriptions of the server need no token. */
const OPEN_ROUTES: Readonly<Record<string, (server: Server) => Reply>> = {
  "GET /api/v1/instance": readInstanceV1,
  "GET /api/v2/instance": readInstanceV2,
};

/** What the server says to a request: limits are looked at before scopes, and scopes before the request. */
export async function answer(
  server: Server,
  request: IncomingMessage,
  raw: Buffer,
): Promise<Answered> {
  const { method = "" } = request;
  const url = new URL(request.url ?? "/", server.url());
  const open = OPEN_ROUTES[`${method} ${url.pathname}`];
  if (open) return { reply: open(server), headers: {} };
  const found = findRoute(method, url.pathname);
  if (!found)
    return { reply: refused(404, "The page you are looking for isn't here."), headers: {} };
  const token = server.network.tokens.get(bearerOf(request));
  if (!token) return { reply: refused(401, "The access token is invalid"), headers: {} };
  const { account, scopes } = token;
  const { scope, family, answer: answerTo } = found.route;
  const { isExceeded, headers } = server.countRate(account.id, family);
  if (isExceeded) return { reply: refused(429, "Too many requests"), headers };
  if (!scopes.has(scope) && !scopes.has(scope.replace(/:.*/, ""))) {
    return { reply: refused(403, "This action is outside the authorized scopes"), headers };
  }
  const body = bodyOf(raw, request);
  if (body === null) return { reply: refused(400, "The request is malformed"), headers };
  const { id } = found;
  const exchange = { account, id, url, raw, body, ...headersOf(server, account, request) };
  await delay(server.options.latencyMs);
  return { reply: await answerTo(server, exchange), headers };
}

/** The same answer as a proxy with pages of its own passes it on. */
export function throughProxy(reply: Reply, { errorPages }: ServerOptions): Reply {
  if (errorPages === "json" || typeof reply === "string") return reply;
  return reply.status >= 400 ? errorPage(reply.status) : reply;
}

function headersOf(
  server: Server,
  account: StoredAccount,
  { headers }: IncomingMessage,
): Pick<Exchange, "contentType" | "key" | "keyed"> {
  const header = headers["idempotency-key"];
  const key = typeof header === "string" && header !== "" ? header : undefined;
  return {
    contentType: headers["content-type"] ?? "",
    key,
    keyed: keyedStatus(server, account, key),
  };
}

/** Undefined where it is not JSON, null where it calls itself so and is none. */
function bodyOf(raw: Buffer, { headers }: IncomingMessage): unknown {
  if (headers["content-type"]?.startsWith("application/json") !== true) return undefined;
  try {
    return JSON.parse(raw.toString("utf8"));
  } catch {
    return null;
  }
}

function bearerOf({ headers }: IncomingMessage): string {
  return /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1] ?? "";
}

function delay(ms: number): Promise<void> | undefined {
  return ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : undefined;
}
