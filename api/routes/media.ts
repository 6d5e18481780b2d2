import { Router } from "express";
import * as z from "zod";
import { removeMedia } from "../../shared/commands/remove-media.ts";
import { updateMedia } from "../../shared/commands/update-media.ts";
import { addMedia, storeImage } from "../../shared/commands/upload-media.ts";
import type { Context } from "../../shared/context.ts";
import { IdParams } from "../../shared/contract/ids.ts";
import {
  MediaView,
  UpdateMediaRequest,
  UploadMediaFields,
  UploadMediaForm,
} from "../../shared/contract/media.ts";
import { findMedia, listMedia } from "../../shared/db/media.ts";
import { actorOf } from "../http/actor.ts";
import { idempotentAfter } from "../http/idempotent.ts";
import { afterCursor, pageOf, PageQuery, pageSchema } from "../http/page.ts";
import { parse } from "../http/parse.ts";
import { upload as readUpload } from "../http/upload.ts";
import { serve, type Operation } from "../openapi/operation.ts";
import { presentMedia } from "../present/media.ts";

const ListQuery = PageQuery.extend({ filename: z.string().max(300).optional() });

const list: Operation = {
  method: "get",
  path: "/media",
  action: "media.read",
  summary: "List images, newest first",
  query: ListQuery,
  answers: { 200: { description: "One page", schema: pageSchema(MediaView) } },
  problems: ["request.bad_cursor"],
};

const upload: Operation = {
  method: "post",
  path: "/media",
  action: "media.write",
  summary: "Upload an image",
  description: "The image is turned upright and written anew, without place, camera or comments.",
  body: UploadMediaForm,
  bodyType: "multipart/form-data",
  answers: { 201: { description: "Stored", schema: MediaView } },
  problems: [
    "media.type_unsupported",
    "media.type_mismatch",
    "media.broken",
    "media.too_many_pixels",
    "media.too_large",
    "request.type_unsupported",
    "upload.file_missing",
    "upload.malformed",
  ],
};

const read: Operation = {
  method: "get",
  path: "/media/{id}",
  action: "media.read",
  summary: "Read what is known about an image",
  params: IdParams,
  answers: { 200: { description: "The image's facts", schema: MediaView } },
  problems: ["media.missing"],
};

const readContent: Operation = {
  method: "get",
  path: "/media/{id}/content",
  action: "media.read",
  summary: "Read the image itself",
  params: IdParams,
  headers: z.object({ "If-None-Match": z.string().optional() }),
  answers: {
    200: {
      description: "The bytes that are sent to platforms",
      contentType: "image/*",
      headers: z.object({ ETag: z.string().describe("Of the bytes, for `If-None-Match`.") }),
    },
    304: { description: "The bytes that `If-None-Match` names" },
  },
  problems: ["media.missing"],
};

const update: Operation = {
  method: "patch",
  path: "/media/{id}",
  action: "media.write",
  summary: "Describe an image anew",
  description: "Posts that show it change with it.",
  params: IdParams,
  body: UpdateMediaRequest,
  answers: { 200: { description: "The image's facts", schema: MediaView } },
  problems: ["media.missing", "media.in_use", "post.does_not_fit"],
};

const remove: Operation = {
  method: "delete",
  path: "/media/{id}",
  action: "media.write",
  summary: "Remove an image that no post shows",
  params: IdParams,
  answers: { 204: { description: "Removed" } },
  problems: ["media.missing", "media.in_use"],
};

export const mediaOperations = [list, upload, read, readContent, update, remove];

export function mediaRoutes(context: Context): Router {
  const routes = Router();
  const { db, config } = context;

  serve(routes, list, async (req, res) => {
    const { cursor, limit, filename } = parse(ListQuery, req.query);
    const [before = null] = afterCursor(cursor, z.tuple([z.uuid()])) ?? [];
    const rows = await listMedia(db, actorOf(res).workspaceId, { before, limit, filename });
    res.json(pageOf(rows, limit, { keyOf: (row) => [row.id], present: presentMedia }));
  });

  serve(
    routes,
    upload,
    readUpload({ maxBytes: config.maxUploadBytes, tooLarge: "media.too_large" }),
    idempotentAfter(context, {
      prepare(outer, req, res) {
        const { altText } = parse(UploadMediaFields, { ...req.body });
        const filename = parse(z.string(), req.file?.originalname);
        const bytes = req.file?.buffer ?? Buffer.alloc(0);
        const contentType = req.file?.mimetype ?? "";
        return storeImage(outer, actorOf(res), { bytes, filename, contentType, altText });
      },
      async finish(inner, medium) {
        return { status: 201, body: presentMedia(await addMedia(inner, medium)) };
      },
    }),
  );

  serve(routes, read, async (req, res) => {
    const { id } = parse(IdParams, req.params);
    res.json(presentMedia(await findMedia(db, actorOf(res).workspaceId, id)));
  });

  serve(routes, readContent, async (req, res) => {
    const { id } = parse(IdParams, req.params);
    const medium = await findMedia(db, actorOf(res).workspaceId, id);
    res.set({
      "Content-Type": medium.contentType,
      ETag: `"${medium.sha256}"`,
      // The bytes behind an id never change, but only who has a token may see them.
      "Cache-Control": "private, max-age=31536000, immutable",
      "Content-Security-Policy": "default-src 'none'; sandbox",
    });
    // Express itself answers 304, but only after the bytes were read.
    if (req.fresh) res.status(304).end();
    else res.send(Buffer.from(await context.media.read(medium.workspaceId, medium.sha256)));
  });

  serve(routes, update, async (req, res) => {
    const { id: mediaId } = parse(IdParams, req.params);
    const { altText } = parse(UpdateMediaRequest, req.body ?? {});
    res.json(presentMedia(await updateMedia(context, actorOf(res), { mediaId, altText })));
  });

  serve(routes, remove, async (req, res) => {
    const { id } = parse(IdParams, req.params);
    await removeMedia(context, actorOf(res), id);
    res.status(204).end();
  });

  return routes;
}
