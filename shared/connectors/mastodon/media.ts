import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import type { OutgoingMedia, OutgoingPart } from "../connector.ts";
import { ConnectorError } from "../error.ts";
import type { Answer } from "../http.ts";
import type { MastodonCall, Prepared } from "./access.ts";
import { isMissing, refusal, retryAfterMs } from "./errors.ts";
import { ask, bodyOf } from "./request.ts";

/** Images are ready within seconds; what takes longer is looked at again by the next attempt. */
const MAX_LOOKS = 30;
const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 5_000;

const Attachment = z.object({ id: z.string().min(1) });

/** `missing` also where the upload is in a published post already. */
export type UploadState = "ready" | "processing" | "missing";

/**
 * Uploads the part's media, in their order, and waits until the server has processed them: a post with an unready one is
 * refused. Uploads of an earlier call are used again while the server has them.
 * Source: https://docs.joinmastodon.org/methods/media/ (read 2026-11-22)
 */
export async function prepare(
  part: OutgoingPart,
  previous: Prepared | null,
  call: MastodonCall,
): Promise<Prepared> {
  const media: Prepared["media"] = [];
  for (const item of part.media) {
    const known = previous?.media.find((upload) => upload.id === item.id)?.remoteId;
    const isKnown = known !== undefined && (await becomesReady(known, call));
    media.push({ id: item.id, remoteId: isKnown ? known : await upload(item, call) });
  }
  return { media };
}

/**
 * Looks at one upload.
 * @throws {ConnectorError} `media_invalid` where the server could not process it
 */
export async function uploadState(remoteId: string, call: MastodonCall): Promise<UploadState> {
  return stateOf(await look(remoteId, call), call);
}

async function upload(item: OutgoingMedia, call: MastodonCall): Promise<string> {
  const form = new FormData();
  const file = new Blob([await item.read()], { type: item.contentType });
  form.append("file", file, `image.${item.contentType.replace(/^.*\//, "")}`);
  if (item.altText !== "") form.append("description", item.altText);
  // Encoded here, as a fetch from another package does not know this FormData.
  const encoded = new Response(form);
  const answer = await ask(
    call,
    {
      method: "POST",
      path: "/api/v2/media",
      headers: { "content-type": encoded.headers.get("content-type") ?? "" },
      body: new Uint8Array(await encoded.arrayBuffer()),
    },
    "upload",
  );
  const { id } = bodyOf(answer, Attachment, { purpose: "upload", now: call.now() });
  if (answer.status === 202 && !(await becomesReady(id, call))) {
    throw new ConnectorError("unavailable", { platformCode: "404" });
  }
  return id;
}

/** False where the server does not have the upload any more. */
async function becomesReady(remoteId: string, call: MastodonCall): Promise<boolean> {
  for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
    const answer = await look(remoteId, call);
    const state = stateOf(answer, call);
    if (state !== "processing") return state === "ready";
    await pause(answer, looks, call);
  }
  throw new ConnectorError("unavailable", { platformCode: "206" });
}

function look(remoteId: string, call: MastodonCall): Promise<Answer> {
  const path = `/api/v1/media/${encodeURIComponent(remoteId)}`;
  return ask(call, { method: "GET", path }, "upload");
}

function stateOf(answer: Answer, call: MastodonCall): UploadState {
  if (answer.status === 206) return "processing";
  if (isMissing(answer)) return "missing";
  if (answer.status === 200 && Attachment.safeParse(answer.json).success) return "ready";
  throw refusal(answer, "upload", call.now());
}

async function pause(answer: Answer, looks: number, call: MastodonCall): Promise<void> {
  const askedMs = retryAfterMs(answer.headers, call.now()) ?? FIRST_WAIT_MS * 2 ** looks;
  try {
    await sleep(Math.min(askedMs, MAX_WAIT_MS), undefined, { signal: call.signal });
  } catch (cause) {
    throw new ConnectorError("unavailable", { cause });
  }
}
