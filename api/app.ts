import express, { type Express, type RequestHandler } from "express";
import helmet from "helmet";
import { v7 as uuidv7 } from "uuid";
import type { Context } from "../shared/context.ts";
import { AppError } from "../shared/errors.ts";
import { authenticate } from "./http/actor.ts";
import { jsonBody } from "./http/json-body.ts";
import { problems } from "./http/problem.ts";
import { NOUNS } from "./nouns.ts";

/** The HTTP process: middleware in order, routes, `problems` last. */
export function createApp(context: Context): Express {
  const app = express();
  app.disable("x-powered-by");
  app.use(requestId(), helmet());
  const api = express.Router();
  api.use(authenticate(context), jsonBody());
  for (const { routes } of NOUNS) api.use(routes(context));
  app.use("/api/v1", api);
  app.use(notFound());
  app.use(problems(context.log));
  return app;
}

/** Names the request in answers and in the log. */
function requestId(): RequestHandler {
  return (_req, res, next) => {
    res.locals.requestId = uuidv7();
    res.set("X-Request-Id", res.locals.requestId);
    next();
  };
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
