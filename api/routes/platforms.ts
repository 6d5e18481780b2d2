import { Router } from "express";
import type { Context } from "../../shared/context.ts";
import { PlatformListView } from "../../shared/contract/platform.ts";
import { serve, type Operation } from "../openapi/operation.ts";
import { presentPlatform } from "../present/platform.ts";

const list: Operation = {
  method: "get",
  path: "/platforms",
  action: "platforms.read",
  summary: "List platforms",
  description: "What each can do, which settings it has, and how to connect a channel.",
  answers: { 200: { description: "All of them", schema: PlatformListView } },
};

export const platformOperations = [list];

export function platformRoutes({ connectors, config }: Context): Router {
  const routes = Router();
  // Nothing of it changes while the process runs.
  const items = [...connectors.values()].map((connector) => presentPlatform(connector, config));

  serve(routes, list, (_req, res) => {
    res.json({ items, nextCursor: null });
  });

  return routes;
}
