import { Router } from "express";
import * as z from "zod";
import { cancelStopped } from "../../shared/commands/cancel-deliveries.ts";
import { deliveryMissing } from "../../shared/commands/delivery-refusals.ts";
import { namePost } from "../../shared/commands/name-post.ts";
import { removeDelivery } from "../../shared/commands/remove-delivery.ts";
import { resolveDelivery, type Finding } from "../../shared/commands/resolve-delivery.ts";
import { retryDeliveries } from "../../shared/commands/retry-deliveries.ts";
import { retryDelivery } from "../../shared/commands/retry-delivery.ts";
import type { ThreadDecision } from "../../shared/commands/settle-thread.ts";
import type { Actor, Context } from "../../shared/context.ts";
import {
  CancelDeliveriesRequest,
  CancelDeliveriesView,
  RetryDeliveriesRequest,
  RetryDeliveriesView,
} from "../../shared/contract/delivery-batches.ts";
import {
  DeliveryFilter,
  DeliveryListItem,
  DeliveryView,
  ResolveDeliveryRequest,
  RetryDeliveryRequest,
} from "../../shared/contract/delivery.ts";
import { IdParams } from "../../shared/contract/ids.ts";
import { Instant } from "../../shared/contract/when.ts";
import { findDelivery, listDeliveries } from "../../shared/queries/deliveries.ts";
import { actorOf } from "../http/actor.ts";
import { idempotent, idempotentAfter } from "../http/idempotent.ts";
import { afterCursor, pageOf, PageQuery, pageSchema } from "../http/page.ts";
import { parse } from "../http/parse.ts";
import { serve, type Operation } from "../openapi/operation.ts";
import { presentDelivery, presentListedDelivery } from "../present/delivery.ts";

const TIME_PROBLEMS = [
  "post.time_in_past",
  "schedule.unknown_zone",
  "schedule.bad_time",
  "schedule.time_skipped",
  "schedule.too_far",
];

const REMOVAL_PROBLEMS = [
  "delivery.missing",
  "delivery.bad_state",
  "delivery.channel_removed",
  "delivery.not_removable",
  "delivery.unanswered",
];

const ListQuery = PageQuery.extend(DeliveryFilter.shape);
const Cursor = z.tuple([Instant, z.uuid()]);

const list: Operation = {
  method: "get",
  path: "/deliveries",
  action: "deliveries.read",
  summary: "List deliveries in the order of their times",
  query: ListQuery,
  answers: { 200: { description: "One page", schema: pageSchema(DeliveryListItem) } },
  problems: ["request.bad_cursor"],
};

const read: Operation = {
  method: "get",
  path: "/deliveries/{id}",
  action: "deliveries.read",
  summary: "Read a delivery with its attempts and its receipt",
  params: IdParams,
  answers: { 200: { description: "The delivery", schema: DeliveryView } },
  problems: ["delivery.missing"],
};

const retryMany: Operation = {
  method: "post",
  path: "/deliveries/retry",
  action: "deliveries.retry",
  summary: "Retry many deliveries",
  description:
    "Those that match every given condition, at most 1,000 a request. A thread of which some parts are out goes on where it stopped. After a hold or an outage `gapMinutes` keeps followers from being flooded.",
  body: RetryDeliveriesRequest,
  answers: { 200: { description: "What was retried", schema: RetryDeliveriesView } },
  problems: TIME_PROBLEMS,
};

const cancelMany: Operation = {
  method: "post",
  path: "/deliveries/cancel",
  action: "deliveries.cancel",
  summary: "Cancel deliveries that wait for a person",
  description:
    "Held, missed, expired and failed ones, one by its id or at most 1,000 that match every given condition. Deliveries of the same post on other channels stay as they are; `POST /posts/{id}/cancel` takes back the whole post.",
  body: CancelDeliveriesRequest,
  answers: { 200: { description: "What was cancelled", schema: CancelDeliveriesView } },
};

const retry: Operation = {
  method: "post",
  path: "/deliveries/{id}/retry",
  action: "deliveries.retry",
  summary: "Retry a delivery",
  description:
    "From failed, missed, expired and held it begins anew; from partial it goes on where it stopped. Now, or at the time that you give.",
  params: IdParams,
  body: RetryDeliveryRequest,
  answers: { 200: { description: "The delivery as it is now", schema: DeliveryView } },
  problems: [
    "delivery.missing",
    "delivery.bad_state",
    "delivery.channel_removed",
    "delivery.being_removed",
    ...TIME_PROBLEMS,
  ],
};

const resolve: Operation = {
  method: "post",
  path: "/deliveries/{id}/resolve",
  action: "deliveries.resolve",
  summary: "Settle a delivery of unknown outcome, or a thread that is half out",
  description: "`choices` of the delivery say what there is to decide, and what each of it risks.",
  params: IdParams,
  body: ResolveDeliveryRequest,
  answers: { 200: { description: "The delivery as it is now", schema: DeliveryView } },
  problems: [
    ...REMOVAL_PROBLEMS,
    "delivery.no_remote_id",
    "delivery.being_removed",
    "channel.platform_unreachable",
    ...TIME_PROBLEMS,
  ],
};

const remove: Operation = {
  method: "post",
  path: "/deliveries/{id}/remove",
  action: "deliveries.remove",
  summary: "Take away what is out of a delivery",
  description:
    "A worker takes it away on the platform, the last part first, whatever holds there are; `removal` shows how it goes, and the state ends as `removed`. Asking again is harmless, and lets a removal go on that waited for a person.",
  params: IdParams,
  answers: { 200: { description: "The delivery as it is now", schema: DeliveryView } },
  problems: REMOVAL_PROBLEMS,
};

export const deliveryOperations = [list, read, retryMany, cancelMany, retry, resolve, remove];

export function deliveryRoutes(context: Context): Router {
  const routes = Router();

  serve(routes, list, async (req, res) => {
    const { cursor, limit, ...filter } = parse(ListQuery, req.query);
    const page = { after: afterCursor(cursor, Cursor), limit };
    const rows = await listDeliveries(context.db, actorOf(res).workspaceId, filter, page);
    const keyOf = ({ dueKey, id }: (typeof rows)[number]) => [dueKey, id];
    res.json(pageOf(rows, limit, { keyOf, present: presentListedDelivery }));
  });

  serve(routes, read, async (req, res) => {
    const { id } = parse(IdParams, req.params);
    res.json(await present(context, actorOf(res), id));
  });

  serve(
    routes,
    retryMany,
    idempotent(context, async (inner, req, res) => {
      const input = parse(RetryDeliveriesRequest, req.body ?? {});
      const { at, latestAfterMinutes, gapMinutes, state: states, from, to, ...filter } = input;
      const span = { from: from ? new Date(from) : undefined, to: to ? new Date(to) : undefined };
      const done = await retryDeliveries(
        inner,
        actorOf(res),
        { ...filter, states, ...span },
        { at, latestAfterMinutes, gapMinutes },
      );
      const { ids, skippedIds, hasMore } = done;
      const counts = { retried: ids.length, skipped: skippedIds.length };
      return { status: 200, body: { ...counts, ids, skippedIds, hasMore } };
    }),
  );

  serve(
    routes,
    cancelMany,
    idempotent(context, async (inner, req, res) => {
      const { state: states, from, to, ...filter } = parse(CancelDeliveriesRequest, req.body);
      const span = { from: from ? new Date(from) : undefined, to: to ? new Date(to) : undefined };
      const done = await cancelStopped(inner, actorOf(res), { ...filter, states, ...span });
      const { ids, skippedIds, hasMore } = done;
      const counts = { cancelled: ids.length, skipped: skippedIds.length };
      return { status: 200, body: { ...counts, ids, skippedIds, hasMore } };
    }),
  );

  serve(
    routes,
    retry,
    idempotent(context, async (inner, req, res) => {
      const { id: deliveryId } = parse(IdParams, req.params);
      const time = parse(RetryDeliveryRequest, req.body ?? {});
      await retryDelivery(inner, actorOf(res), { deliveryId, ...time });
      return { status: 200, body: await present(inner, actorOf(res), deliveryId) };
    }),
  );

  serve(
    routes,
    resolve,
    idempotentAfter(context, {
      async prepare(_context, req, res) {
        const { id: deliveryId } = parse(IdParams, req.params);
        const input = parse(ResolveDeliveryRequest, req.body);
        return { deliveryId, word: await wordOf(context, actorOf(res), deliveryId, input) };
      },
      async finish(inner, settled, res) {
        await resolveDelivery(inner, actorOf(res), settled);
        return { status: 200, body: await present(inner, actorOf(res), settled.deliveryId) };
      },
    }),
  );

  serve(
    routes,
    remove,
    idempotent(context, async (inner, req, res) => {
      const { id: deliveryId } = parse(IdParams, req.params);
      await removeDelivery(inner, actorOf(res), { deliveryId });
      return { status: 200, body: await present(inner, actorOf(res), deliveryId) };
    }),
  );

  return routes;
}

/** What the request says, with the platform's id of a post that was found. */
async function wordOf(
  context: Context,
  actor: Actor,
  deliveryId: string,
  input: ResolveDeliveryRequest,
): Promise<Finding | ThreadDecision> {
  if (input.outcome === "not_published") return { outcome: input.outcome, next: input.then };
  if (input.outcome !== "published") return input;
  const { outcome, permalink } = input;
  const remoteId = input.remoteId ?? (await namePost(context, actor, { deliveryId, permalink }));
  return { outcome, permalink, remoteId };
}

async function present(context: Context, { workspaceId }: Actor, deliveryId: string) {
  const delivery = await findDelivery(context.db, workspaceId, deliveryId);
  if (!delivery) throw deliveryMissing();
  const canRemove = context.connectors.get(delivery.platform)?.remove !== undefined;
  return presentDelivery(delivery, { canRemove });
}
