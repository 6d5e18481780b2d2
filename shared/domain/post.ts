import {
  contentHash,
  hashJson,
  normalizeText,
  partsFor,
  type PartContent,
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

/** The words of a post as they go to one channel. */
export function partsOnChannel(post: PostContent, channelId: string): readonly PartContent[] {
  return partsFor(post.parts, post.variants[channelId] ?? null);
}

/** Hash of what one channel will show; a delivery carries it. */
export function deliveryHash(
  post: PostContent,
  channelId: string,
  media: ReadonlyMap<string, SealedMedium>,
): string {
  return contentHash(sealParts(partsOnChannel(post, channelId), media), post.link);
}

/** Hash of what all channels together will show. Which channels are named does not matter, except for those with variants. */
export function postHash(post: PostContent, media: ReadonlyMap<string, SealedMedium>): string {
  const own = contentHash(sealParts(post.parts, media), post.link);
  const others = Object.keys(post.variants).toSorted();
  return hashJson([own, others.map((id) => [id, deliveryHash(post, id, media)])]);
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
