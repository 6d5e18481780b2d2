import { Router, type Response } from "express";
import * as z from "zod";
import { endHold, holdMissing } from "../../shared/commands/end-hold.ts";
import { awaitConfirmation, startHold } from "../../shared/commands/start-hold.ts";
import type { Context } from "../../shared/context.ts";
import { findHold, listHolds } from "../../shared/db/holds.ts";
import { HoldView, StartHoldRequest } from "../../shared/contract/hold.ts";
import { IdParams } from "../../shared/contract/ids.ts";
import { describeHold, reportHold } from "../../shared/queries/holds.ts";
import { actorOf } from "../http/actor.ts";
import { idempotent, idempotentAfter } from "../http/idempotent.ts";
import { afterCursor, pageOf, PageQuery, pageSchema } from "../http/page.ts";
import { parse } from "../http/parse.ts";
import { serve, type Operation } from "../openapi/operation.ts";
import { presentHold } from "../present/hold.ts";

const Cursor = z.tuple([z.uuid()]);
const Started = z.object({ id: z.uuid() });

const start: Operation = {
  method: "post",
  path: "/holds",
  action: "holds.start",
  summary: "Stop everything in a scope",
  description:
    "The answer comes when every running worker has confirmed: from then on nothing in the scope goes out. It names what was already being sent.",
  body: StartHoldRequest,
  answers: {
    201: {
      description: "The hold, confirmed",
      schema: HoldView,
      headers: z.object({ Location: z.string().describe("Where it is read.") }),
    },
  },
  problems: ["post.unknown_channel", "hold.ends_in_past"],
};

const list: Operation = {
  method: "get",
  path: "/holds",
  action: "holds.read",
  summary: "List holds, newest first",
  query: PageQuery,
  answers: { 200: { description: "One page", schema: pageSchema(HoldView) } },
  problems: ["request.bad_cursor"],
};

const read: Operation = {
  method: "get",
  path: "/holds/{id}",
  action: "holds.read",
  summary: "Read a hold and what it did",
  params: IdParams,
  answers: { 200: { description: "The hold", schema: HoldView } },
  problems: ["hold.missing"],
};

const end: Operation = {
  method: "post",
  path: "/holds/{id}/end",
  action: "holds.end",
  summary: "End a hold",
  description:
    "Publishes nothing. What came due meanwhile stays held: give it a time by `POST /deliveries/retry` with the state `held` and a `gapMinutes`, or cancel it by `POST /deliveries/cancel`.",
  params: IdParams,
  answers: { 200: { description: "The hold as it is now", schema: HoldView } },
  problems: ["hold.missing", "hold.ended"],
};

export const holdOperations = [start, list, read, end];

export function holdRoutes(context: Context): Router {
  const routes = Router();

  serve(
    routes,
    start,
    idempotentAfter(context, {
      prepare: (_context, req) => Promise.resolve(parse(StartHoldRequest, req.body)),
      async finish(inner, { endsAt, ...input }, res) {
        const until = endsAt === null ? null : new Date(endsAt);
        const { id } = await startHold(inner, actorOf(res), { ...input, endsAt: until });
        return { status: 201, body: { id }, headers: { Location: `/api/v1/holds/${id}` } };
      },
      async complete(outcome, res) {
        const { id } = Started.parse(outcome.body);
        const hold = await findHold(context.db, actorOf(res).workspaceId, id);
        if (!hold) throw holdMissing();
        await awaitConfirmation(context, hold);
        return { ...outcome, body: presentHold(await describeHold(context.db, hold)) };
      },
    }),
  );

  serve(routes, list, async (req, res) => {
    const { cursor, limit } = parse(PageQuery, req.query);
    const before = afterCursor(cursor, Cursor)?.[0] ?? null;
    const { workspaceId } = actorOf(res);
    const holds = await listHolds(context.db, workspaceId, { before, limit: limit + 1 });
    const reports = await Promise.all(holds.map((hold) => describeHold(context.db, hold)));
    res.json(pageOf(reports, limit, { keyOf: ({ hold }) => [hold.id], present: presentHold }));
  });

  serve(routes, read, async (req, res) => {
    const { id } = parse(IdParams, req.params);
    res.json(await present(context, res, id));
  });

  serve(
    routes,
    end,
    idempotent(context, async (inner, req, res) => {
      const { id: holdId } = parse(IdParams, req.params);
      await endHold(inner, actorOf(res), { holdId });
      return { status: 200, body: await present(inner, res, holdId) };
    }),
  );

  return routes;
}

async function present({ db }: Context, res: Response, id: string) {
  const report = await reportHold(db, actorOf(res).workspaceId, id);
  if (!report) throw holdMissing();
  return presentHold(report);
}
