import { Router } from "express";
import type { Context } from "../../shared/context.ts";
import { StatusView } from "../../shared/contract/status.ts";
import { readPlatformHealth } from "../../shared/queries/platforms.ts";
import { readOutlook } from "../../shared/queries/status.ts";
import { actorOf } from "../http/actor.ts";
import { serve, type Operation } from "../openapi/operation.ts";
import { presentStatus } from "../present/status.ts";

const read: Operation = {
  method: "get",
  path: "/status",
  action: "status.read",
  summary: "Will the next 24 hours publish?",
  answers: { 200: { description: "The outlook, and what stands in the way", schema: StatusView } },
};

export const statusOperations = [read];

export function statusRoutes({ db, config }: Context): Router {
  const routes = Router();

  serve(routes, read, async (_req, res) => {
    const { workspaceId } = actorOf(res);
    const [outlook, platforms] = await Promise.all([
      readOutlook(db, workspaceId),
      readPlatformHealth(db, workspaceId),
    ]);
    res.json(presentStatus(outlook, platforms, config.redisUrl === null ? "direct" : "redis"));
  });

  return routes;
}
