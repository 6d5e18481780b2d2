import { Router } from "express";
import type { Context } from "../../shared/context.ts";
import { StatusView } from "../../shared/contract/status.ts";
import { readPlatformHealth } from "../../shared/queries/platforms.ts";
import { readOutlook } from "../../shared/queries/status.ts";
import type { QueueState } from "../admin/queue-state.ts";
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

export function statusRoutes(
  { db, config }: Context,
  _closing: AbortSignal,
  queue: QueueState | null,
): Router {
  const routes = Router();

  serve(routes, read, async (_req, res) => {
    const { workspaceId } = actorOf(res);
    const [outlook, platforms, queueView] = await Promise.all([
      readOutlook(db, workspaceId, config),
      readPlatformHealth(db, workspaceId),
      viewQueue(queue),
    ]);
    res.json(presentStatus(outlook, platforms, queueView));
  });

  return routes;
}

async function viewQueue(queue: QueueState | null): Promise<StatusView["queue"]> {
  if (!queue) return { mode: "direct", isReachable: null, silentLanes: [] };
  const silent = await queue.silentLanes();
  return { mode: "redis", isReachable: silent !== null, silentLanes: [...(silent ?? [])] };
}
