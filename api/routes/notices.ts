import { Router } from "express";
import * as z from "zod";
import { readNotice } from "../../shared/commands/read-notice.ts";
import type { Context } from "../../shared/context.ts";
import { IdParams } from "../../shared/contract/ids.ts";
import { NoticeFilter, NoticeView } from "../../shared/contract/notice.ts";
import { listNotices } from "../../shared/db/notices.ts";
import { actorOf } from "../http/actor.ts";
import { idempotent } from "../http/idempotent.ts";
import { afterCursor, pageOf, PageQuery, pageSchema } from "../http/page.ts";
import { parse } from "../http/parse.ts";
import { serve, type Operation } from "../openapi/operation.ts";
import { presentNotice } from "../present/notice.ts";

const ListQuery = PageQuery.extend(NoticeFilter.shape);
const Cursor = z.tuple([z.string().regex(/^\d{1,18}$/)]);

const list: Operation = {
  method: "get",
  path: "/notices",
  action: "notices.read",
  summary: "List your notices, newest first",
  description:
    "What you are told without asking: channels that need a person, where a post of yours waits, and posts of yours that did not go out. Admins are told of all.",
  query: ListQuery,
  answers: { 200: { description: "One page", schema: pageSchema(NoticeView) } },
  problems: ["request.bad_cursor"],
};

const read: Operation = {
  method: "post",
  path: "/notices/{id}/read",
  action: "notices.read",
  summary: "Mark a notice as read",
  params: IdParams,
  answers: { 200: { description: "The notice", schema: NoticeView } },
  problems: ["notice.missing"],
};

export const noticeOperations = [list, read];

export function noticeRoutes(context: Context): Router {
  const routes = Router();

  serve(routes, list, async (req, res) => {
    const { cursor, limit, unread = false } = parse(ListQuery, req.query);
    const before = afterCursor(cursor, Cursor)?.[0] ?? null;
    const { tokenId } = actorOf(res);
    const rows = await listNotices(context.db, tokenId, { before, limit, unread });
    res.json(pageOf(rows, limit, { keyOf: ({ number }) => [number], present: presentNotice }));
  });

  serve(
    routes,
    read,
    idempotent(context, async (inner, req, res) => {
      const notice = await readNotice(inner, actorOf(res), parse(IdParams, req.params).id);
      return { status: 200, body: presentNotice(notice) };
    }),
  );

  return routes;
}
