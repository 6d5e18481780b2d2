import { readAccount } from "./about.ts";
import type { Exchange, Server } from "./exchange.ts";
import { editMedia, readMedia, uploadMedia } from "./media.ts";
import type { Family } from "./rates.ts";
import type { Reply } from "./reply.ts";
import * as statuses from "./statuses.ts";

type Answer = (server: Server, exchange: Exchange) => Reply | Promise<Reply>;

export interface Route {
  readonly method: string;
  readonly path: RegExp;
  readonly scope: string;
  readonly family: Family;
  readonly answer: Answer;
}

const ROUTES: readonly Route[] = [
  route("POST /api/v1/statuses", "write:statuses", statuses.createStatus),
  route("GET /api/v1/statuses", "read:statuses", statuses.readStatuses),
  route("GET /api/v1/statuses/:id", "read:statuses", statuses.readStatus),
  route("PUT /api/v1/statuses/:id", "write:statuses", statuses.editStatus),
  route("DELETE /api/v1/statuses/:id", "write:statuses", statuses.deleteStatus),
  route("GET /api/v1/statuses/:id/source", "read:statuses", statuses.readSource),
  route("GET /api/v1/accounts/verify_credentials", "read:accounts", readAccount),
  route("GET /api/v1/accounts/:id/statuses", "read:statuses", statuses.readAccountStatuses),
  route("POST /api/v2/media", "write:media", uploadMedia),
  route("GET /api/v1/media/:id", "write:media", readMedia),
  route("PUT /api/v1/media/:id", "write:media", editMedia),
];

/** The route of a request, with what its path says for `:id`; null where the server has none. */
export function findRoute(method: string, pathname: string): { route: Route; id: string } | null {
  for (const route of ROUTES) {
    const match = route.method === method ? route.path.exec(pathname) : null;
    if (match) return { route, id: decodeURIComponent(match[1] ?? "") };
  }
  return null;
}

function route(line: string, scope: string, answer: Answer): Route {
  const [method = "", path = ""] = line.split(" ");
  const pattern = new RegExp(`^${path.replace(":id", "([^/]+)")}$`);
  return { method, path: pattern, scope, family: familyOf(line), answer };
}

function familyOf(line: string): Family {
  if (line === "POST /api/v1/statuses") return "statuses";
  if (line === "POST /api/v2/media") return "media";
  return line.startsWith("DELETE ") ? "deletes" : "api";
}
