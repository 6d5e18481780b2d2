import { Router } from "express";
import * as z from "zod";
import { checkChannel, storeCheck } from "../../shared/commands/check-channel.ts";
import { connectChannel } from "../../shared/commands/connect-channel.ts";
import { proveCredentials } from "../../shared/commands/prove-credentials.ts";
import { removeChannel } from "../../shared/commands/remove-channel.ts";
import { updateChannel } from "../../shared/commands/update-channel.ts";
import type { Context } from "../../shared/context.ts";
import {
  ChannelFilter,
  ChannelView,
  ConnectChannelRequest,
  UpdateChannelRequest,
} from "../../shared/contract/channel.ts";
import { IdParams } from "../../shared/contract/ids.ts";
import { findChannel, listChannels } from "../../shared/db/channels.ts";
import { actorOf } from "../http/actor.ts";
import { idempotentAfter } from "../http/idempotent.ts";
import { afterCursor, pageOf, PageQuery, pageSchema } from "../http/page.ts";
import { parse } from "../http/parse.ts";
import { serve, type Operation } from "../openapi/operation.ts";
import { presentChannel } from "../present/channel.ts";

const ListQuery = PageQuery.extend(ChannelFilter.shape);

const list: Operation = {
  method: "get",
  path: "/channels",
  action: "channels.read",
  summary: "List channels",
  query: ListQuery,
  answers: { 200: { description: "One page", schema: pageSchema(ChannelView) } },
  problems: ["request.bad_cursor"],
};

const connect: Operation = {
  method: "post",
  path: "/channels",
  action: "channels.write",
  summary: "Connect a channel",
  description: "Signs in to the platform with the credentials; only what works is stored.",
  body: ConnectChannelRequest,
  answers: { 201: { description: "Connected", schema: ChannelView } },
  problems: [
    "channel.platform_unknown",
    "channel.credentials_invalid",
    "channel.host_not_found",
    "channel.credentials_refused",
    "channel.platform_unreachable",
    "channel.exists",
    "channel.name_taken",
  ],
};

const read: Operation = {
  method: "get",
  path: "/channels/{id}",
  action: "channels.read",
  summary: "Read a channel",
  params: IdParams,
  answers: { 200: { description: "The channel", schema: ChannelView } },
  problems: ["channel.missing"],
};

const update: Operation = {
  method: "patch",
  path: "/channels/{id}",
  action: "channels.write",
  summary: "Rename a channel or renew its credentials",
  params: IdParams,
  body: UpdateChannelRequest,
  answers: { 200: { description: "The channel as it is now", schema: ChannelView } },
  problems: [
    "channel.missing",
    "channel.name_taken",
    "channel.other_account",
    "channel.credentials_invalid",
    "channel.host_not_found",
    "channel.credentials_refused",
    "channel.platform_unreachable",
  ],
};

const remove: Operation = {
  method: "delete",
  path: "/channels/{id}",
  action: "channels.write",
  summary: "Remove a channel",
  description: "Forgets its credentials. What it has published stays in the records.",
  params: IdParams,
  answers: { 204: { description: "Removed" } },
  problems: ["channel.missing", "channel.in_use"],
};

const check: Operation = {
  method: "post",
  path: "/channels/{id}/check",
  action: "channels.write",
  summary: "Ask the platform whether a channel could publish now",
  params: IdParams,
  answers: { 200: { description: "The channel with what was found", schema: ChannelView } },
  problems: ["channel.missing", "channel.platform_unreachable", "secret.key_missing"],
};

export const channelOperations = [list, connect, read, update, remove, check];

export function channelRoutes(context: Context): Router {
  const routes = Router();
  const { db } = context;

  serve(routes, list, async (req, res) => {
    const { cursor, limit, ...filter } = parse(ListQuery, req.query);
    const [after = null] = afterCursor(cursor, z.tuple([z.uuid()])) ?? [];
    const rows = await listChannels(db, actorOf(res).workspaceId, { after, limit, ...filter });
    res.json(pageOf(rows, limit, { keyOf: (row) => [row.id], present: presentChannel }));
  });

  serve(
    routes,
    connect,
    idempotentAfter(context, {
      async prepare(outer, req) {
        const { platform, name, credentials } = parse(ConnectChannelRequest, req.body ?? {});
        return { platform, name, connection: await proveCredentials(outer, platform, credentials) };
      },
      async finish(inner, input, res) {
        const channel = await connectChannel(inner, actorOf(res), input);
        return { status: 201, body: presentChannel(channel) };
      },
    }),
  );

  serve(routes, read, async (req, res) => {
    const { id } = parse(IdParams, req.params);
    res.json(presentChannel(await findChannel(db, actorOf(res).workspaceId, id)));
  });

  serve(routes, update, async (req, res) => {
    const { id: channelId } = parse(IdParams, req.params);
    const { name, credentials } = parse(UpdateChannelRequest, req.body ?? {});
    const actor = actorOf(res);
    const { platform } = await findChannel(db, actor.workspaceId, channelId);
    const connection = credentials && (await proveCredentials(context, platform, credentials));
    res.json(presentChannel(await updateChannel(context, actor, { channelId, name, connection })));
  });

  serve(routes, remove, async (req, res) => {
    const { id } = parse(IdParams, req.params);
    await removeChannel(context, actorOf(res), id);
    res.status(204).end();
  });

  serve(
    routes,
    check,
    idempotentAfter(context, {
      prepare: (outer, req, res) =>
        checkChannel(outer, actorOf(res), parse(IdParams, req.params).id),
      async finish(inner, checked, res) {
        const channel = await storeCheck(inner, actorOf(res), checked);
        return { status: 200, body: presentChannel(channel) };
      },
    }),
  );

  return routes;
}
