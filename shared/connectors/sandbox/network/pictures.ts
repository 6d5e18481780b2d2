import type { Documents } from "../../connector.ts";
import { LIMITS } from "../limits.ts";
import { readBody, Refusal } from "./answers.ts";
import { DocumentId, KINDS, PictureDocument } from "./documents.ts";

/** A picture that no post shows by then is forgotten. */
const UNUSED_FOR_MS = 24 * 3_600_000;

/**
 * Stores one picture, which nobody sees before a post shows it, and returns its id.
 * @throws {Refusal} 413 `too_large`; 422 `picture_invalid` where the bytes are not of the type they claim
 */
export async function storePicture(
  documents: Documents,
  request: Request,
  handle: string,
): Promise<string> {
  const contentType = request.headers.get("content-type") ?? "";
  const bytes = await readBody(request, LIMITS.pictureMaxBytes);
  if (typeOf(bytes) !== contentType) {
    throw new Refusal(422, "picture_invalid", "This is not a JPEG, PNG, WebP or GIF picture.");
  }
  await documents.removeOlder(KINDS.upload, UNUSED_FOR_MS);
  const document = { handle, contentType, base64: bytes.toString("base64") };
  const { id } = await documents.add(document, { kind: KINDS.upload });
  return id;
}

/** Who uploaded a picture; null where there is none. */
export async function ownerOfPicture(documents: Documents, id: string): Promise<string | null> {
  return (await findPicture(documents, id))?.handle ?? null;
}

/**
 * Makes pictures public, before the post that shows them.
 * @throws {Refusal} 422 `picture_missing` where one is gone or somebody else's
 */
export async function usePictures(
  documents: Documents,
  handle: string,
  ids: readonly string[],
): Promise<void> {
  for (const id of ids) {
    const isTheirs = (await ownerOfPicture(documents, id)) === handle;
    const isUsed = isTheirs && (await documents.change(id, { kind: KINDS.picture }));
    if (!isUsed) {
      throw new Refusal(422, "picture_missing", "A picture of this post was not uploaded.");
    }
  }
}

/**
 * A picture that a post shows. Its type was read from its bytes, and browsers are told to believe that.
 * @throws {Refusal} 404 `picture_missing`
 */
export async function showPicture(documents: Documents, id: string): Promise<Response> {
  const picture = await findPicture(documents, id);
  if (picture?.kind !== KINDS.picture) {
    throw new Refusal(404, "picture_missing", "There is no such picture.");
  }
  return new Response(Buffer.from(picture.base64, "base64"), {
    headers: {
      "content-type": picture.contentType,
      "cache-control": "public, max-age=86400, immutable",
      "content-security-policy": "default-src 'none'; sandbox",
      "x-content-type-options": "nosniff",
    },
  });
}

async function findPicture(documents: Documents, id: string) {
  const found = DocumentId.safeParse(id).success ? await documents.find(id) : null;
  if (found?.kind !== KINDS.upload && found?.kind !== KINDS.picture) return null;
  return { ...PictureDocument.parse(found.document), kind: found.kind };
}

function typeOf(bytes: Buffer): string | null {
  const ascii = (start: number, end: number) => bytes.toString("latin1", start, end);
  if (ascii(0, 3) === "\xff\xd8\xff") return "image/jpeg";
  if (ascii(0, 8) === "\x89PNG\r\n\x1a\n") return "image/png";
  if (ascii(0, 4) === "RIFF" && ascii(8, 12) === "WEBP") return "image/webp";
  if (ascii(0, 6) === "GIF87a" || ascii(0, 6) === "GIF89a") return "image/gif";
  return null;
}
