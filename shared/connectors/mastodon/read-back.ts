import type { SentPart, ShownPart } from "../connector.ts";
import type { MastodonCall } from "./access.ts";
import { readStatuses } from "./read-statuses.ts";
import { isWrittenAs, looksLike } from "./same-text.ts";
import { ShownStatus } from "./status.ts";

/**
 * Shows at most 20 posts, in one request where the server has batches and none was changed. HTML that looks another way may
 * only be another server's formatting, so then the post's source decides.
 */
export async function readBack(
  parts: readonly SentPart[],
  call: MastodonCall,
): Promise<ReadonlyMap<string, ShownPart>> {
  const texts = new Map(parts.map(({ remoteId, text }) => [remoteId, text]));
  const shown = new Map<string, ShownPart>();
  for (const post of await readStatuses([...texts.keys()], ShownStatus, call)) {
    const text = texts.get(post.id) ?? "";
    shown.set(post.id, {
      hasSameText: looksLike(post.content, text) || (await isWrittenAs(post.id, text, call)),
      mediaCount: post.media_attachments.length,
      altTexts: post.media_attachments.map(({ description }) => description ?? ""),
    });
  }
  return shown;
}
