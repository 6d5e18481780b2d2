import type { OutgoingPart, PublishedPart } from "../connector.ts";
import { ConnectorError } from "../error.ts";
import type { Answer } from "../http.ts";
import type { MastodonCall, Prepared } from "./access.ts";
import { isMissing, refusal } from "./errors.ts";
import { observeLimit } from "./limits.ts";
import { uploadState } from "./media.ts";
import { ask, bodyOf } from "./request.ts";
import { PublishedStatus, publishedPart } from "./status.ts";

/**
 * Never sends `scheduled_at`: some servers ignore it and publish at once. Visibility is spelt out, as an account's own
 * default may hide posts.
 * Source: https://docs.joinmastodon.org/methods/statuses/#create (read 2026-11-22)
 */
export async function commit(
  part: OutgoingPart,
  prepared: Prepared,
  call: MastodonCall,
): Promise<PublishedPart> {
  // Nothing is sent on a signal that has ended, so nothing is unknown.
  if (call.signal.aborted) throw new ConnectorError("unavailable", { cause: call.signal.reason });
  const answer = await ask(
    call,
    {
      method: "POST",
      path: "/api/v1/statuses",
      headers: { "idempotency-key": part.idempotencyKey },
      json: {
        status: part.text,
        visibility: "public",
        ...(prepared.media.length > 0 && { media_ids: prepared.media.map((m) => m.remoteId) }),
        ...(part.thread && { in_reply_to_id: part.thread.parent.remoteId }),
      },
    },
    "commit",
  );
  observeLimit(answer.headers, call);
  await refuseUnusableUploads(answer, prepared, call);
  return publishedPart(bodyOf(answer, PublishedStatus, { purpose: "commit", now: call.now() }));
}

/** What is gone already is no error. The images go at once, where servers would keep them for a day. */
export async function remove(remoteId: string, call: MastodonCall): Promise<void> {
  const path = `/api/v1/statuses/${encodeURIComponent(remoteId)}?delete_media=true`;
  const answer = await ask(call, { method: "DELETE", path }, "remove");
  if (isMissing(answer) || (answer.status >= 200 && answer.status < 300)) return;
  throw refusal(answer, "remove", call.now());
}

/**
 * A refused text and an upload that is gone look the same (422 with a translated sentence), so the uploads are looked at:
 * with new ones the post can still go out.
 */
async function refuseUnusableUploads(
  answer: Answer,
  prepared: Prepared,
  call: MastodonCall,
): Promise<void> {
  if (answer.status !== 422) return;
  for (const { remoteId } of prepared.media) {
    if ((await uploadState(remoteId, call)) !== "ready") {
      throw new ConnectorError("unavailable", { platformCode: "422" });
    }
  }
}
