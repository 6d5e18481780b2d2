import { Router } from "express";
import * as z from "zod";
import { cancelPost } from "../../shared/commands/cancel-post.ts";
import { createPost } from "../../shared/commands/create-post.ts";
import { editPost } from "../../shared/commands/edit-post.ts";
import { postMissing } from "../../shared/commands/post-missing.ts";
import { removePost } from "../../shared/commands/remove-post.ts";
import { schedulePost } from "../../shared/commands/schedule-post.ts";
import type { Actor, Context } from "../../shared/context.ts";
import { IdParams } from "../../shared/contract/ids.ts";
import { CreatePostRequest, EditPostRequest, PostFilter } from "../../shared/contract/post.ts";
import { SchedulePostRequest } from "../../shared/contract/schedule.ts";
import { listPosts, readPost, type PostWithDeliveries } from "../../shared/queries/posts.ts";
import { actorOf } from "../http/actor.ts";
import { etagOf, requireMatch } from "../http/etag.ts";
import { idempotent } from "../http/idempotent.ts";
import { afterCursor, pageOf, PageQuery } from "../http/page.ts";
import { parse } from "../http/parse.ts";
import { serve } from "../openapi/operation.ts";
import { presentPost } from "../present/post.ts";
import { presentCancelled, presentScheduled } from "../present/schedule.ts";
import { POSTS as operations } from "./posts.operations.ts";

export const postOperations = Object.values(operations);

export function postRoutes(context: Context): Router {
  const routes = Router();
  const { db } = context;

  serve(routes, operations.list, async (req, res) => {
    const { cursor, limit, ...filter } = parse(PageQuery.extend(PostFilter.shape), req.query);
    const [after = null] = afterCursor(cursor, z.tuple([z.uuid()])) ?? [];
    const rows = await listPosts(db, actorOf(res).workspaceId, filter, { after, limit });
    res.json(pageOf(rows, limit, { keyOf: ({ post }) => [post.id], present: presentPost }));
  });

  serve(
    routes,
    operations.create,
    idempotent(context, async (inner, req, res) => {
      const input = parse(CreatePostRequest, req.body);
      const post = await createPost(inner, actorOf(res), input);
      const body = presentPost({ post, deliveries: [] });
      return { status: 201, body, headers: { ETag: etagOf(post.version) } };
    }),
  );

  serve(routes, operations.read, async (req, res) => {
    const { id } = parse(IdParams, req.params);
    const found = await existing(context, actorOf(res), id);
    res.set("ETag", etagOf(found.post.version)).json(presentPost(found));
  });

  serve(routes, operations.edit, async (req, res) => {
    const { id: postId } = parse(IdParams, req.params);
    const changes = parse(EditPostRequest, req.body);
    const checkVersion = (version: number) => requireMatch(req, version);
    await editPost(context, actorOf(res), { postId, changes, checkVersion });
    const found = await existing(context, actorOf(res), postId);
    res.set("ETag", etagOf(found.post.version)).json(presentPost(found));
  });

  serve(routes, operations.remove, async (req, res) => {
    const { id: postId } = parse(IdParams, req.params);
    const checkVersion = (version: number) => requireMatch(req, version);
    await removePost(context, actorOf(res), { postId, checkVersion });
    res.status(204).end();
  });

  serve(
    routes,
    operations.schedule,
    idempotent(context, async (inner, req, res) => {
      const { id: postId } = parse(IdParams, req.params);
      const { at } = parse(SchedulePostRequest, req.body);
      const checkVersion = (version: number) => requireMatch(req, version);
      const { moment } = await schedulePost(inner, actorOf(res), { postId, at, checkVersion });
      const found = await existing(inner, actorOf(res), postId);
      return withTag(found, presentScheduled(found, moment));
    }),
  );

  serve(
    routes,
    operations.cancel,
    idempotent(context, async (inner, req, res) => {
      const { id: postId } = parse(IdParams, req.params);
      const checkVersion = (version: number) => requireMatch(req, version);
      const cancelled = await cancelPost(inner, actorOf(res), { postId, checkVersion });
      const found = await existing(inner, actorOf(res), postId);
      return withTag(found, presentCancelled(found, cancelled));
    }),
  );

  return routes;
}

async function existing(
  { db }: Context,
  { workspaceId }: Actor,
  postId: string,
): Promise<PostWithDeliveries> {
  const found = await readPost(db, workspaceId, postId);
  if (!found) throw postMissing();
  return found;
}

function withTag({ post }: PostWithDeliveries, body: unknown) {
  return { status: 200, body, headers: { ETag: etagOf(post.version) } };
}
