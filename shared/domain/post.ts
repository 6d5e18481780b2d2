import {
  contentHash,
  hashJson,
  normalizeText,
  partsFor,
  placeLink,
  type PartContent,
  type PlacedContent,
  type SealedPart,
  type Source,
} from "./content.ts";

/** Other words for one channel. */
export interface Variant {
  readonly parts: readonly PartContent[];
}

/** What an author writes and may edit. */
export interface PostContent {
  readonly parts: readonly PartContent[];
  readonly channelIds: readonly string[];
  /** By channel id. */
  readonly variants: Readonly<Record<string, Variant>>;
  readonly link: string | null;
  readonly sources: readonly Source[];
  readonly labels: readonly string[];
  readonly campaign: string | null;
  readonly latestAfterMinutes: number;
}

export interface Post extends PostContent {
  readonly id: string;
  readonly externalId: string | null;
  readonly state: "draft" | "scheduled";
  /** Counts edits. */
  readonly version: number;
  readonly contentHash: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What of a medium the public sees. */
export interface SealedMedium {
  readonly sha256: string;
  readonly altText: string;
}

/** Brings every text of a post into the form in which it is stored, counted, hashed and sent. */
export function normalizePost<Content extends PostContent>(content: Content): Content {
  const variants = Object.entries(content.variants).map(([channelId, { parts }]) => {
    return [channelId, { parts: parts.map(normalizePart) }] as const;
  });
  return {
    ...content,
    parts: content.parts.map(normalizePart),
    variants: Object.fromEntries(variants),
  };
}

/** Every medium that a post names anywhere, once. */
export function mediaIdsOf({ parts, variants }: PostContent): string[] {
  const all = [parts, ...Object.values(variants).map((variant) => variant.parts)].flat();
  return [...new Set(all.flatMap((part) => part.mediaIds))];
}

/** The part of a channel that decides how it shows a post. */
export interface ShowingChannel {
  readonly id: string;
  readonly capabilities: { readonly showsLinkCard: boolean };
}

/** A post as one channel shows it. */
export function contentOn(post: PostContent, { id, capabilities }: ShowingChannel): PlacedContent {
  const parts = partsFor(post.parts, post.variants[id] ?? null);
  return placeLink(parts, post.link, capabilities.showsLinkCard);
}

/** Hash of what one channel will show; a delivery carries it. */
export function deliveryHash(
  post: PostContent,
  channel: ShowingChannel,
  media: ReadonlyMap<string, SealedMedium>,
): string {
  const { parts, card } = contentOn(post, channel);
  return contentHash(sealParts(parts, media), card);
}

/** Hash of what all channels together will show. Which channels are named does not matter, except for those with variants. */
export function postHash(post: PostContent, media: ReadonlyMap<string, SealedMedium>): string {
  const hashOf = (parts: readonly PartContent[]) => contentHash(sealParts(parts, media), post.link);
  const variants = Object.entries(post.variants).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return hashJson([hashOf(post.parts), variants.map(([id, { parts }]) => [id, hashOf(parts)])]);
}

/** @param media must hold every medium that the parts name */
export function sealParts(
  parts: readonly PartContent[],
  media: ReadonlyMap<string, SealedMedium>,
): SealedPart[] {
  return parts.map(({ text, mediaIds }) => ({
    text,
    media: mediaIds.map((id) => {
      const medium = media.get(id);
      if (!medium) throw new Error(`Medium ${id} was not loaded.`);
      return { sha256: medium.sha256, altText: medium.altText };
    }),
  }));
}

function normalizePart({ text, mediaIds }: PartContent): PartContent {
  return { text: normalizeText(text), mediaIds };
}
