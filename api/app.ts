import express, { type Express, type RequestHandler } from "express";
import helmet from "helmet";
import { v7 as uuidv7 } from "uuid";
import type { Context } from "../shared/context.ts";
import { AppError } from "../shared/errors.ts";
import { openQueues } from "./admin/open-queues.ts";
import { openQueueConnection } from "./admin/queue-connection.ts";
import { createQueueState, type QueueState } from "./admin/queue-state.ts";
import { queueRoutes } from "./admin/queues.ts";
import { authenticate } from "./http/actor.ts";
import { problems } from "./http/problem.ts";
import { NOUNS } from "./nouns.ts";
import { docsOperations, docsRoutes } from "./routes/docs.ts";
import { healthOperations, healthRoutes } from "./routes/health.ts";
import { hostedRoutes } from "./routes/hosted.ts";
import { landingRoutes } from "./routes/landing.ts";

/**
 * The HTTP process: middleware in order, routes, `problems` last.
 * @param closing aborted when the process is to stop; ends streams and the connection to the queue
 */
export function createApp(context: Context, closing: AbortSignal): Express {
  const { redisUrl } = context.config;
  const connection = redisUrl === null ? null : openQueueConnection(redisUrl, closing);
  const queues = connection ? openQueues(context, connection.redis) : [];
  const queueState = connection && createQueueState(connection.redis, queues);
  const operations = [
    ...docsOperations,
    ...healthOperations,
    ...NOUNS.flatMap((noun) => noun.operations),
  ];
  const app = express();
  app.disable("x-powered-by");
  // An ETag is a version that `If-Match` may name; Express would add hashes of answers.
  app.disable("etag");
  app.use(requestId(), safeHeaders());
  // The API before the pages: every request goes through what stands before its own.
  app.use(healthRoutes(context, connection, queueState), docsRoutes(operations));
  app.use("/api/v1", apiRoutes(context, closing, queueState));
  if (connection) app.use(queueRoutes(context, connection, queues));
  app.use(landingRoutes(context), hostedRoutes(context));
  app.use(notFound(), problems(context.log));
  return app;
}

function apiRoutes(
  context: Context,
  closing: AbortSignal,
  queueState: QueueState | null,
): RequestHandler {
  const api = express.Router();
  // Who is unknown costs us one look into an index, and no reading of a body.
  api.use(authenticate(context));
  for (const { routes } of NOUNS) api.use(routes(context, closing, queueState));
  return api;
}

/** Names the request in answers and in the log. */
function requestId(): RequestHandler {
  return (_req, res, next) => {
    res.locals.requestId = uuidv7();
    res.set("X-Request-Id", res.locals.requestId);
    next();
  };
}

/** Nothing may be loaded, unless a page of ours says what it needs. */
function safeHeaders(): RequestHandler {
  const directives = { defaultSrc: ["'none'"], frameAncestors: ["'none'"] };
  return helmet({
    contentSecurityPolicy: { useDefaults: false, directives },
    // Whether a host name is served over TLS alone is for whoever runs the proxy before us to say.
    strictTransportSecurity: false,
  });
}

function notFound(): RequestHandler {
  return () => {
    throw new AppError(
      "not_found",
      "route.missing",
      "There is nothing at this address. The API is described at /api/docs.",
    );
  };
}
