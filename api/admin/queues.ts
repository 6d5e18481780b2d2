import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { ExpressAdapter } from "@bull-board/express";
import { Router, type RequestHandler } from "express";
import type { Actor, Context } from "../../shared/context.ts";
import type { Db } from "../../shared/db/client.ts";
import { findToken } from "../../shared/db/tokens.ts";
import { listWorkspaces } from "../../shared/db/workspaces.ts";
import { may } from "../../shared/domain/permission.ts";
import { tokenHash } from "../../shared/domain/token.ts";
import type { NamedQueue } from "./open-queues.ts";
import type { QueueConnection } from "./queue-connection.ts";

const BASE_PATH = "/admin/queues";

/** The board names a font of another server in its page; nothing but our own server is asked. */
const POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

const AWAY_PAGE = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8" /><title>The queue is away</title></head>
  <body>
    <h1>The queue is away</h1>
    <p>Redis does not answer. Publishing goes on from PostgreSQL; nothing is lost. Reload this page when Redis is back.</p>
  </body>
</html>
`;

/**
 * The queues as Bull Board shows them, for admins, to look at only: what to do with a delivery is decided in PostgreSQL, so
 * a button here could do nothing but confuse. Jobs hold ids only.
 */
export function queueRoutes(
  context: Context,
  connection: QueueConnection,
  queues: readonly NamedQueue[],
): Router {
  const routes = Router();
  const board = queueBoard(queues);
  const requireQueue: RequestHandler = async (_req, res, next) => {
    if (await connection.isReachable()) next();
    else res.status(503).type("html").send(AWAY_PAGE);
  };
  const policy: RequestHandler = (_req, res, next) => {
    res.set("Content-Security-Policy", POLICY);
    next();
  };
  routes.use(BASE_PATH, signIn(context), onlyReading, requireQueue, policy, board);
  return routes;
}

function queueBoard(queues: readonly NamedQueue[]): RequestHandler {
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath(BASE_PATH);
  createBullBoard({
    serverAdapter,
    queues: queues.map(({ queue }) => new BullMQAdapter(queue, { readOnlyMode: true })),
    options: { uiConfig: { boardTitle: "Postwell" } },
  });
  return serverAdapter.getRouter();
}

/** A browser asks for name and password: any name, and the token as the password. Programs send it as Bearer. */
function signIn({ db }: Context): RequestHandler {
  return async (req, res, next) => {
    const token = tokenOf(req.headers.authorization);
    const known = token === null ? null : await findToken(db, tokenHash(token));
    if (known && may(known.scope, "queues.read") && (await runsInstallation(db, known))) {
      next();
      return;
    }
    res.status(known ? 403 : 401).set("WWW-Authenticate", 'Basic realm="Postwell queues"');
    res.type("text").send("For admins: any user name, and an admin's token as the password.\n");
  };
}

/** The queue holds ids of all workspaces, so it is for the admins of the first one: who set up the installation. */
async function runsInstallation(
  db: Db,
  { workspaceId }: Pick<Actor, "workspaceId">,
): Promise<boolean> {
  const [first] = await listWorkspaces(db);
  return first?.id === workspaceId;
}

function tokenOf(header: string | undefined): string | null {
  const [scheme = "", value = ""] = header?.split(" ") ?? [];
  if (scheme.toLowerCase() === "bearer") return value;
  if (scheme.toLowerCase() !== "basic") return null;
  const decoded = Buffer.from(value, "base64").toString("utf8");
  return decoded.slice(decoded.indexOf(":") + 1);
}

/** Beside the board's own read-only mode: a browser repeats its password on every request, whoever made it ask. */
const onlyReading: RequestHandler = (req, res, next) => {
  if (req.method === "GET" || req.method === "HEAD") next();
  else res.status(405).set("Allow", "GET, HEAD").end();
};
