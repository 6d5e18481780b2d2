import * as z from "zod";
import type { OutgoingMedia, OutgoingPart } from "../connector.ts";
import { ConnectorError } from "../error.ts";
import { accountOf } from "./account-of.ts";
import { capabilities } from "./capabilities.ts";
import { pdsOf, sessionOf, type BlueskyCall } from "./credentials.ts";
import { facetsOf, mentionedHandles } from "./facets.ts";
import { Blob, cardEmbed, imagesEmbed, POST, PostRecord } from "./record.ts";
import { newTid } from "./tid.ts";
import { xrpc } from "./xrpc.ts";

export const Prepared = z.object({
  /** Of the content for which all this was chosen. */
  idempotencyKey: z.string(),
  rkey: z.string().length(13),
  record: PostRecord,
  /** When the images were last uploaded; null where there are none. */
  uploadedAt: z.iso.datetime().nullable(),
});

export type Prepared = z.infer<typeof Prepared>;

/**
 * How long an upload that no post uses is taken to be there still: the platform promises no more than minutes.
 * Source: lexicon com.atproto.repo.uploadBlob (read 2026-11-22)
 */
const UPLOAD_KEPT_MS = 10 * 60_000;

/**
 * Uploads the images and decides everything about the post but what it answers. Key and time of creation are chosen once
 * for the same content: with others, sending it again would publish it twice or rewrite it.
 */
export async function prepare(
  part: OutgoingPart,
  previous: Prepared | null,
  call: BlueskyCall,
): Promise<Prepared> {
  const { idempotencyKey, media } = part;
  const earlier = previous?.idempotencyKey === idempotencyKey ? previous : null;
  if (earlier && areUploadsFresh(earlier, call.now())) return earlier;

  refuseUnfitMedia(media);
  const blobs = await uploadAll(media, call);
  const uploadedAt = media.length > 0 ? call.now().toISOString() : null;
  if (earlier) {
    // The same bytes get the same content id, so that the record stays the same byte for byte.
    const record = { ...earlier.record, embed: imagesEmbed(media, blobs) };
    return { ...earlier, record, uploadedAt };
  }
  const record = await composeRecord(part, blobs, call);
  return { idempotencyKey, rkey: newTid(call.now()), record, uploadedAt };
}

async function composeRecord(
  { text, media, link }: OutgoingPart,
  blobs: readonly Blob[],
  call: BlueskyCall,
): Promise<PostRecord> {
  const facets = facetsOf(text, await resolveHandles(mentionedHandles(text), call));
  const record: PostRecord = { $type: POST, text, createdAt: call.now().toISOString() };
  if (facets.length > 0) record.facets = facets;
  // A post has one embed: where there are images, they are it.
  if (media.length > 0) record.embed = imagesEmbed(media, blobs);
  else if (link !== null) record.embed = cardEmbed(link);
  return record;
}

function areUploadsFresh({ uploadedAt }: Prepared, now: Date): boolean {
  return uploadedAt === null || now.getTime() - Date.parse(uploadedAt) < UPLOAD_KEPT_MS;
}

/** Before anything is uploaded: the platform takes a file that is too large and refuses the post that uses it. */
function refuseUnfitMedia(media: readonly OutgoingMedia[]): void {
  const { maxBytesByType, maxCount } = capabilities.media;
  const isUnfit = media.some(
    ({ contentType, byteLength }) => byteLength > (maxBytesByType[contentType] ?? 0),
  );
  if (isUnfit || media.length > maxCount) throw new ConnectorError("media_invalid");
}

async function uploadAll(media: readonly OutgoingMedia[], call: BlueskyCall): Promise<Blob[]> {
  const blobs: Blob[] = [];
  // One after the other, so that one image is in memory at a time.
  for (const medium of media) blobs.push(await upload(medium, call));
  return blobs;
}

async function upload(medium: OutgoingMedia, call: BlueskyCall): Promise<Blob> {
  const session = sessionOf(call);
  const { blob } = await xrpc(
    call,
    {
      base: pdsOf(call, session),
      method: "com.atproto.repo.uploadBlob",
      token: session.accessJwt,
      input: { bytes: await medium.read(), contentType: medium.contentType },
    },
    {
      schema: z.object({ blob: Blob }),
      meaning: { refused: "media_invalid", lost: "unavailable" },
    },
  );
  return blob;
}

/** The accounts behind handles. One that the platform cannot find is left out: its mention stays text. */
async function resolveHandles(
  handles: readonly string[],
  call: BlueskyCall,
): Promise<ReadonlyMap<string, string>> {
  const dids = new Map<string, string>();
  for (const handle of handles) {
    const did = await resolveHandle(handle, call);
    if (did !== null) dids.set(handle, did);
  }
  return dids;
}

async function resolveHandle(handle: string, call: BlueskyCall): Promise<string | null> {
  try {
    return await accountOf(handle, call);
  } catch (error) {
    // A post with a name in plain text is better than no post; but who ran out of time has not asked.
    if (error instanceof ConnectorError && !call.signal.aborted) return null;
    throw error;
  }
}
