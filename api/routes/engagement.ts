import { Router } from "express";
import { deliveryMissing } from "../../shared/commands/delivery-refusals.ts";
import type { Context } from "../../shared/context.ts";
import {
  DeliveryEngagementView,
  EngagementQuery,
  EngagementView,
} from "../../shared/contract/engagement.ts";
import { IdParams } from "../../shared/contract/ids.ts";
import { readingsOf, sumEngagement } from "../../shared/queries/engagement.ts";
import { actorOf } from "../http/actor.ts";
import { parse } from "../http/parse.ts";
import { serve, type Operation } from "../openapi/operation.ts";
import { presentReadings } from "../present/engagement.ts";

const readOne: Operation = {
  method: "get",
  path: "/deliveries/{id}/engagement",
  action: "engagement.read",
  summary: "Read how a delivery has done over time",
  params: IdParams,
  answers: { 200: { description: "Oldest first", schema: DeliveryEngagementView } },
  problems: ["delivery.missing"],
};

const sum: Operation = {
  method: "get",
  path: "/engagement",
  action: "engagement.read",
  summary: "Sum engagement",
  description: "By the newest reading of each delivery. A post with two labels counts under both.",
  query: EngagementQuery,
  answers: { 200: { description: "One entry a group", schema: EngagementView } },
};

export const engagementOperations = [readOne, sum];

export function engagementRoutes({ db }: Context): Router {
  const routes = Router();

  serve(routes, readOne, async (req, res) => {
    const { id } = parse(IdParams, req.params);
    const readings = await readingsOf(db, actorOf(res).workspaceId, id);
    if (!readings) throw deliveryMissing();
    res.json(presentReadings(readings));
  });

  serve(routes, sum, async (req, res) => {
    const { groupBy, from = null, to = null } = parse(EngagementQuery, req.query);
    const groups = await sumEngagement(db, actorOf(res).workspaceId, groupBy, { from, to });
    res.json({ groupBy, groups });
  });

  return routes;
}
