import * as z from "zod";
import type { SentPart, ShownPart } from "../connector.ts";
import { ConnectorError } from "../error.ts";
import { ask, type XCall } from "./api.ts";
import { READ } from "./errors.ts";
import { CONTENT_FIELDS, mediaKeysOf, Post } from "./post.ts";
import { isRemoteId } from "./remote-id.ts";
import { fingerprint, returnedFingerprint } from "./text.ts";

const Posts = z.object({
  /** What X cannot show is named in `errors` instead, or not at all. */
  data: z.array(Post).default([]),
  includes: z
    .object({
      media: z
        .array(z.object({ media_key: z.string(), alt_text: z.string().optional() }))
        .default([]),
    })
    .optional(),
});

/**
 * Shows at most 100 posts in one request. X charges for each post that it returns, once a day however often it is read.
 * Alt texts come beside the posts, by media key.
 * Source: https://docs.x.com/x-api/fundamentals/data-dictionary#media (read 2026-11-22)
 */
export async function readBack(
  parts: readonly SentPart[],
  call: XCall,
): Promise<ReadonlyMap<string, ShownPart>> {
  // X refuses the whole request for one id that it cannot read.
  if (!parts.every(({ remoteId }) => isRemoteId(remoteId))) {
    throw new ConnectorError("bug", { platformCode: "no_post_id" });
  }
  const query = {
    "tweet.fields": CONTENT_FIELDS,
    expansions: "attachments.media_keys",
    "media.fields": "alt_text",
  };
  const { data, includes } = await ask(call, { purpose: READ, answer: Posts }, (client) =>
    client.v2.get("tweets", { ids: parts.map(({ remoteId }) => remoteId).join(","), ...query }),
  );
  const media = new Map(includes?.media.map((each) => [each.media_key, each.alt_text ?? ""]));
  const sent = new Map(parts.map(({ remoteId, text }) => [remoteId, fingerprint(text)]));
  return new Map(data.map((post) => [post.id, shownPart(post, sent.get(post.id), media)]));
}

function shownPart(
  post: Post,
  sent: string | undefined,
  media: ReadonlyMap<string, string>,
): ShownPart {
  const keys = mediaKeysOf(post);
  const altTexts = keys.flatMap((key) => media.get(key) ?? []);
  return {
    hasSameText: returnedFingerprint(post) === sent,
    mediaCount: keys.length,
    // X may leave an object out of what it includes; that says nothing about its alt text.
    altTexts: altTexts.length === keys.length ? altTexts : null,
  };
}
