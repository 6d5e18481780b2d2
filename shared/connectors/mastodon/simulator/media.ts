import { attachmentOf } from "./formatting.ts";
import type { StoredMedia } from "./network.ts";
import { errorPage, refused, type Reply } from "./reply.ts";
import type { Exchange, Server } from "./exchange.ts";

export const MIME_TYPES = ["image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"];
export const IMAGE_SIZE_LIMIT = 16 * 1024 * 1024;
export const DESCRIPTION_LIMIT = 1_500;

/** First bytes, as the server looks into a file and does not believe its label. */
const SIGNATURES: Readonly<Record<string, (head: string) => boolean>> = {
  "image/jpeg": (head) => head.startsWith("\xff\xd8\xff"),
  "image/png": (head) => head.startsWith("\x89PNG\r\n"),
  "image/gif": (head) => head.startsWith("GIF8"),
  "image/webp": (head) => head.startsWith("RIFF") && head.startsWith("WEBP", 8),
  "image/avif": (head) => head.startsWith("ftyp", 4),
};

const INVALID = "Validation failed: File content type is invalid, File is invalid";

export async function uploadMedia(server: Server, exchange: Exchange): Promise<Reply> {
  if (server.faults.take("upload_unavailable")) return errorPage(503);
  if (server.faults.take("upload_invalid")) return refused(422, INVALID);
  const form = await formOf(exchange);
  const file = form?.get("file");
  if (!(file instanceof Blob)) return refused(422, "Validation failed: File can't be blank");
  const head = Buffer.from(await file.slice(0, 16).arrayBuffer()).toString("latin1");
  if (SIGNATURES[file.type]?.(head) !== true) return refused(422, INVALID);
  if (file.size > IMAGE_SIZE_LIMIT) {
    return refused(422, "Validation failed: File file size must be less than 16 MB");
  }
  const description = form?.get("description") ?? null;
  if (typeof description === "string" && description.length > DESCRIPTION_LIMIT) {
    return refused(422, "Validation failed: Description is too long");
  }
  const looksLeft = server.faults.take("upload_processing") ? 2 : 0;
  const text = typeof description === "string" ? description : null;
  const media = server.network.addMedia(exchange.account, text, looksLeft);
  return { status: looksLeft > 0 ? 202 : 200, json: attachmentOf(media, server.url()) };
}

/** An upload that is part of a post is not found any more. */
export function readMedia(server: Server, exchange: Exchange): Reply {
  const media = unattached(server, exchange);
  if (!media) return refused(404, "Record not found");
  if (media.looksLeft > 0) {
    media.looksLeft -= 1;
    return {
      status: 206,
      json: attachmentOf(media, server.url()),
      headers: { "retry-after": "0" },
    };
  }
  return { status: 200, json: attachmentOf(media, server.url()) };
}

export function editMedia(server: Server, exchange: Exchange): Reply {
  const media = unattached(server, exchange);
  if (!media) return refused(404, "Record not found");
  return { status: 200, json: attachmentOf(media, server.url()) };
}

function unattached(server: Server, { id, account }: Exchange): StoredMedia | null {
  const media = server.network.media.get(id);
  return media && media.account === account && !media.isAttached ? media : null;
}

async function formOf({ raw, contentType }: Exchange): Promise<FormData | null> {
  if (!contentType.startsWith("multipart/form-data")) return null;
  try {
    return await new Response(raw, { headers: { "content-type": contentType } }).formData();
  } catch {
    return null;
  }
}
