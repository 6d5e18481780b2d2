import {
  invalid,
  isObject,
  problem,
  readJson,
  strangeParameter,
  unavailable,
  type Authorized,
  type Reply,
} from "./reply.ts";
import type { StoredMedia } from "./world.ts";

const MAX_BYTES: Readonly<Record<string, number>> = {
  tweet_image: 5_242_880,
  tweet_gif: 15_728_640,
};
const TYPES = new Set(["image/jpeg", "image/png", "image/webp", "image/gif"]);
const MAX_SEGMENT_BYTES = 5_242_880;
const LIFE_SECONDS = 86_400;
const ALT_TEXT_MAX = 1_000;

/** POST /2/media/upload/initialize */
export function beginUpload(incoming: Authorized): Reply {
  const { world, account } = incoming;
  const json = readJson(incoming, [
    "media_type",
    "media_category",
    "total_bytes",
    "additional_owners",
  ]);
  if ("refusal" in json) return json.refusal;
  const { media_type: type, media_category: category, total_bytes: bytes } = json.value;
  if (typeof type !== "string" || !TYPES.has(type)) {
    return invalid("$.media_type", type, "$.media_type: does not have a value in the enumeration");
  }
  const max = typeof category === "string" ? MAX_BYTES[category] : undefined;
  if (typeof category !== "string" || max === undefined) {
    return invalid("$.media_category", category, "$.media_category: is not one of the known ones");
  }
  if (typeof bytes !== "number" || !Number.isInteger(bytes) || bytes < 1 || bytes > max) {
    return invalid(
      "$.total_bytes",
      bytes,
      `maxFileSizeExceeded : file size must be <= ${max} bytes`,
    );
  }
  const media: StoredMedia = {
    id: world.nextId(),
    owner: account,
    category,
    totalBytes: bytes,
    expiresAt: world.now().getTime() + LIFE_SECONDS * 1000,
    segments: new Map(),
    state: "uploading",
    looksLeft: 0,
    altText: "",
  };
  world.media.set(media.id, media);
  return { status: 200, body: { data: describeMedia(media) } };
}

/** POST /2/media/upload/:id/append */
export function appendSegment(incoming: Authorized, id: string): Reply {
  if (incoming.take("upload_unavailable")) return unavailable();
  const media = ownMedia(incoming, id);
  if (media?.state !== "uploading") return noSuchMedia(id);
  const segment = readSegment(incoming);
  if (segment === null) return invalid("segment_index", "", "segment_index and media are required");
  if (segment.index < 0 || segment.index > 999 || segment.bytes > MAX_SEGMENT_BYTES) {
    return invalid("segment_index", segment.index, "Segments are 0 to 999, of at most 5 MB each");
  }
  media.segments.set(segment.index, segment.bytes);
  return { status: 200, body: { data: { expires_at: Math.floor(media.expiresAt / 1000) } } };
}

/** POST /2/media/upload/:id/finalize */
export function finishUpload(incoming: Authorized, id: string): Reply {
  const media = ownMedia(incoming, id);
  if (media?.state !== "uploading") return noSuchMedia(id);
  const received = [...media.segments.values()].reduce((sum, bytes) => sum + bytes, 0);
  if (received !== media.totalBytes) {
    return invalid("total_bytes", received, "Segments do not add up to provided total file size.");
  }
  media.state = "succeeded";
  if (incoming.springs("processing_stuck")) {
    media.state = "processing";
    media.looksLeft = Number.POSITIVE_INFINITY;
  } else if (incoming.take("upload_invalid")) media.state = "failed";
  else if (incoming.take("upload_processing")) {
    media.state = "processing";
    media.looksLeft = 2;
  }
  return { status: 200, body: { data: describeMedia(media) } };
}

/** GET /2/media/upload?command=STATUS */
export function readStatus(incoming: Authorized): Reply {
  const strange = strangeParameter(incoming, ["command", "media_id"]);
  if (strange) return strange;
  const { searchParams: query } = incoming.url;
  if (query.get("command") !== "STATUS")
    return invalid("command", query.get("command"), "Not STATUS");
  const media = ownMedia(incoming, query.get("media_id") ?? "");
  if (!media) return noSuchMedia(query.get("media_id"));
  if (media.state === "processing" && media.looksLeft-- === 0) media.state = "succeeded";
  return { status: 200, body: { data: describeMedia(media) } };
}

/** POST /2/media/metadata */
export function describeUpload(incoming: Authorized): Reply {
  const json = readJson(incoming, ["id", "metadata"]);
  if ("refusal" in json) return json.refusal;
  const { id, metadata } = json.value;
  const alt = isObject(metadata) ? metadata["alt_text"] : undefined;
  const text = isObject(alt) ? alt["text"] : undefined;
  if (typeof text !== "string" || text.length < 1 || text.length > ALT_TEXT_MAX) {
    return invalid(
      "$.metadata.alt_text.text",
      text,
      "alt_text.text must be 1 to 1000 characters long",
    );
  }
  const media = typeof id === "string" ? ownMedia(incoming, id) : null;
  if (!media || media.state === "uploading") return noSuchMedia(id);
  media.altText = text;
  return { status: 200, body: { data: { id, associated_metadata: { alt_text: { text } } } } };
}

function ownMedia({ world, account }: Authorized, id: string): StoredMedia | null {
  const media = world.media.get(id);
  const isUsable = media?.owner === account && media.expiresAt > world.now().getTime();
  return isUsable ? media : null;
}

function noSuchMedia(id: unknown): Reply {
  return problem(404, "Not Found", `Could not find media with id: [${String(id)}].`);
}

function describeMedia(media: StoredMedia): Record<string, unknown> {
  return {
    id: media.id,
    media_key: `3_${media.id}`,
    expires_after_secs: LIFE_SECONDS,
    ...processingInfo(media),
  };
}

/** X says seconds here, one or more; nothing to wait for keeps tests from sleeping. */
function processingInfo({ state, looksLeft }: StoredMedia): Record<string, unknown> {
  if (state === "failed") {
    const error = { code: 1, name: "InvalidMedia", message: "The file is not a valid image." };
    return { processing_info: { state, error } };
  }
  if (state !== "processing") return {};
  const stage = looksLeft > 1 ? "pending" : "in_progress";
  return { processing_info: { state: stage, check_after_secs: 0, progress_percent: 50 } };
}

/** Just enough of multipart/form-data: two parts, by name. */
function readSegment({ request, body }: Authorized): { index: number; bytes: number } | null {
  const boundary = /^multipart\/form-data; boundary=(.+)$/.exec(
    request.headers["content-type"] ?? "",
  )?.[1];
  if (boundary === undefined) return null;
  const index = readPart(body, boundary, "segment_index")?.toString();
  const media = readPart(body, boundary, "media");
  if (index === undefined || !/^\d+$/.test(index) || !media) return null;
  return { index: Number(index), bytes: media.length };
}

function readPart(body: Buffer, boundary: string, name: string): Buffer | null {
  const head = body.indexOf(`name="${name}"`);
  const start = head < 0 ? -1 : body.indexOf("\r\n\r\n", head);
  const end = start < 0 ? -1 : body.indexOf(`\r\n--${boundary}`, start + 2);
  return end < 0 ? null : body.subarray(start + 4, Math.max(end, start + 4));
}
