import { createHash } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import type { Actor, Context } from "../context.ts";
import { inTransaction } from "../db/client.ts";
import { addEvents } from "../db/events.ts";
import { findMedia, insertMedia, type NewMedia } from "../db/media.ts";
import type { MediaRow } from "../db/tables.ts";
import { cleanImage } from "../images.ts";

export interface Upload {
  readonly bytes: Uint8Array;
  /** As the sender calls it; may hold a path. */
  readonly filename: string;
  /** As the sender claims it. */
  readonly contentType: string;
  readonly altText: string;
}

const MAX_FILENAME = 200;

/**
 * Cleans an image and puts it into the media store. Outside of transactions, as it takes a while. Repeatable.
 * @throws {AppError} as `cleanImage` does
 */
export async function storeImage(
  { media }: Context,
  { workspaceId }: Actor,
  upload: Upload,
): Promise<NewMedia> {
  const filename = plainName(upload.filename);
  const image = await cleanImage(upload.bytes, { filename, contentType: upload.contentType });
  const sha256 = createHash("sha256").update(image.bytes).digest("hex");
  await media.put(workspaceId, sha256, image.bytes);
  const { contentType, width, height, bytes } = image;
  const { altText } = upload;
  const id = uuidv7();
  const facts = { contentType, width, height, byteLength: bytes.length, sha256 };
  return { id, workspaceId, filename, altText, ...facts };
}

/** Records an image that is in the media store. */
export async function addMedia({ db }: Context, medium: NewMedia): Promise<MediaRow> {
  const { id, workspaceId } = medium;
  return inTransaction(db, async (tx) => {
    await insertMedia(tx, medium);
    await addEvents(tx, [{ workspaceId, type: "media.added", subjectId: id }]);
    return findMedia(tx, workspaceId, id);
  });
}

/** Without folders and control characters: it is shown to people and sent in headers. */
function plainName(filename: string): string {
  const last = filename.split(/[/\\]/).at(-1) ?? "";
  const plain = last
    .normalize("NFC")
    .replaceAll(/\p{Cc}/gu, "")
    .trim();
  return plain.slice(-MAX_FILENAME) || "image";
}
