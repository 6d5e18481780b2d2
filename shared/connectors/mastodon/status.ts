import * as z from "zod";
import type { PublishedPart } from "../connector.ts";

/** A count as servers report it; whatever else they put there is as good as absent. */
const Count = z.int().nonnegative().optional().catch(undefined);

/** What identifies a published post. Ids are text: as numbers they would lose digits. */
export const PublishedStatus = z.object({
  id: z.string().min(1),
  url: z.string().nullish().catch(null),
  created_at: z.string().optional().catch(undefined),
});

/**
 * A post as the account's own list shows it. `content` is HTML.
 * Source: https://docs.joinmastodon.org/entities/Status/ (read 2026-11-22)
 */
export const ListedStatus = z.object({
  ...PublishedStatus.shape,
  created_at: z.iso.datetime({ offset: true }),
  in_reply_to_id: z.string().nullish(),
  content: z.string(),
  media_attachments: z.array(z.object({ id: z.string() })),
  reblog: z.unknown(),
});

/** A post as a reader sees it. `content` is HTML. */
export const ShownStatus = z.object({
  id: z.string().min(1),
  content: z.string(),
  media_attachments: z.array(z.object({ description: z.string().nullish() })),
});

/** The counts of a post. `quotes_count` exists since 4.5 only. */
export const CountedStatus = z.object({
  id: z.string().min(1),
  favourites_count: Count,
  reblogs_count: Count,
  replies_count: Count,
  quotes_count: Count,
});

export type PublishedStatus = z.infer<typeof PublishedStatus>;
export type ListedStatus = z.infer<typeof ListedStatus>;
export type CountedStatus = z.infer<typeof CountedStatus>;

/** A reply names its parent by the same id, so nothing more than the id is kept. */
export function publishedPart(status: PublishedStatus): PublishedPart {
  const publishedAt = new Date(status.created_at ?? "");
  return {
    remoteId: status.id,
    permalink: isWebAddress(status.url) ? status.url : null,
    publishedAt: Number.isNaN(publishedAt.getTime()) ? null : publishedAt,
    reference: null,
  };
}

function isWebAddress(url: string | null | undefined): url is string {
  return typeof url === "string" && /^https?:\/\//i.test(url) && URL.canParse(url);
}
