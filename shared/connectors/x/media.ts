import { setTimeout as pause } from "node:timers/promises";
import * as z from "zod";
import type { OutgoingMedia, OutgoingPart } from "../connector.ts";
import { ConnectorError } from "../error.ts";
import { ask, type XCall } from "./api.ts";
import { UPLOAD } from "./errors.ts";

/** The uploaded images of one part, in order. X's ids for them end after a day. */
export const Prepared = z.object({
  media: z.array(
    z.object({
      id: z.string(),
      altText: z.string(),
      remoteId: z.string(),
      expiresAt: z.iso.datetime(),
    }),
  ),
});

export type Prepared = z.infer<typeof Prepared>;
type PreparedMedia = Prepared["media"][number];

/** X takes at most 5 MB a segment. */
const SEGMENT_BYTES = 4_000_000;

/** An upload that ends sooner than this is made again, so that it cannot end on the way to the commit. */
const REUSE_MARGIN_MS = 60 * 60_000;

const MIN_PAUSE_MS = 10;
const USUAL_PAUSE_MS = 1_000;
/** With pauses that double this is far beyond any signal. */
const MAX_LOOKS = 100;

const Upload = z.object({
  data: z.object({
    id: z.string().regex(/^\d+$/),
    expires_after_secs: z
      .number()
      .positive()
      .default(24 * 60 * 60),
    processing_info: z
      .object({
        state: z.enum(["pending", "in_progress", "succeeded", "failed"]),
        check_after_secs: z.number().nonnegative().optional(),
        error: z.object({ message: z.string().optional() }).optional(),
      })
      .optional(),
  }),
});

type ProcessingInfo = z.infer<typeof Upload>["data"]["processing_info"];

/** Uploads what the part shows, with its alt texts, and waits until X can use it. */
export async function prepare(
  part: OutgoingPart,
  previous: Prepared | null,
  call: XCall,
): Promise<Prepared> {
  const usableUntil = new Date(call.now().getTime() + REUSE_MARGIN_MS).toISOString();
  const reusable = (previous?.media ?? []).filter(({ expiresAt }) => expiresAt > usableUntil);
  const media = part.media.map(
    async (medium) =>
      reusable.find(({ id, altText }) => id === medium.id && altText === medium.altText) ??
      (await upload(medium, call)),
  );
  return { media: await Promise.all(media) };
}

/** In the library's order but not by its method, which cannot be aborted and gives up waiting without saying so. */
async function upload(medium: OutgoingMedia, call: XCall): Promise<PreparedMedia> {
  const bytes = await readBytes(medium);
  const begun = await ask(call, { purpose: UPLOAD, answer: Upload }, (client) =>
    client.v2.post("media/upload/initialize", {
      media_type: medium.contentType,
      total_bytes: bytes.length,
      media_category: "tweet_image",
    }),
  );
  const { id, expires_after_secs: lifeSeconds } = begun.data;
  const expiresAt = new Date(call.now().getTime() + lifeSeconds * 1000).toISOString();
  for (let index = 0; index * SEGMENT_BYTES < bytes.length; index++) {
    const media = bytes.subarray(index * SEGMENT_BYTES, (index + 1) * SEGMENT_BYTES);
    await ask(call, { purpose: UPLOAD, answer: z.unknown() }, (client) =>
      client.v2.post(
        `media/upload/${id}/append`,
        { segment_index: index, media },
        { forceBodyMode: "form-data" },
      ),
    );
  }
  const done = await ask(call, { purpose: UPLOAD, answer: Upload }, (client) =>
    client.v2.post(`media/upload/${id}/finalize`),
  );
  await waitUntilProcessed(id, done.data.processing_info, call);
  // Before the post: what is added afterwards is not shown with it.
  if (medium.altText !== "") await describe(id, medium.altText, call);
  return { id: medium.id, altText: medium.altText, remoteId: id, expiresAt };
}

/** Our own store may fail; that passes like a platform's outage does. */
async function readBytes(medium: OutgoingMedia): Promise<Buffer> {
  try {
    const bytes = await medium.read();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch (cause) {
    throw new ConnectorError("unavailable", { platformCode: "media_unreadable", cause });
  }
}

async function waitUntilProcessed(id: string, first: ProcessingInfo, call: XCall): Promise<void> {
  let info = first;
  for (let look = 0; info?.state === "pending" || info?.state === "in_progress"; look++) {
    if (look >= MAX_LOOKS) throw new ConnectorError("unavailable", { platformCode: "processing" });
    // Doubling, so that a platform that asks to be asked at once is not asked without end.
    const leastMs = MIN_PAUSE_MS * 2 ** Math.min(look, 10);
    const toldMs =
      info.check_after_secs === undefined ? USUAL_PAUSE_MS : info.check_after_secs * 1000;
    await waitFor(Math.max(leastMs, toldMs), call.signal);
    const status = await ask(call, { purpose: UPLOAD, answer: Upload }, (client) =>
      client.v2.get("media/upload", { command: "STATUS", media_id: id }),
    );
    info = status.data.processing_info;
  }
  if (info?.state === "failed") {
    const platformMessage = info.error?.message ?? null;
    throw new ConnectorError("media_invalid", {
      platformMessage,
      platformCode: "processing_failed",
    });
  }
}

async function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await pause(ms, undefined, { signal });
  } catch (cause) {
    throw new ConnectorError("unavailable", { platformCode: "ABORT_ERR", cause });
  }
}

async function describe(id: string, altText: string, call: XCall): Promise<void> {
  const purpose = { ...UPLOAD, secret: altText };
  await ask(call, { purpose, answer: z.unknown() }, (client) =>
    client.v2.createMediaMetadata(id, { alt_text: { text: altText } }),
  );
}
