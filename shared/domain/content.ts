import { createHash } from "node:crypto";

/** One part of a post as authors write it. */
export interface PartContent {
  readonly text: string;
  readonly mediaIds: readonly string[];
}

/** Where a claim in the post comes from. */
export interface Source {
  readonly url: string;
  readonly title: string;
}

/** One part as it goes out: media by what they are, not by row id. */
export interface SealedPart {
  readonly text: string;
  readonly media: readonly { readonly sha256: string; readonly altText: string }[];
}

/**
 * The form in which a text is stored, counted, hashed and sent: NFC, `\n` only, no space around it. Platforms count and
 * compare other forms differently.
 */
export function normalizeText(text: string): string {
  return text.replace(/\r\n?/g, "\n").normalize("NFC").trim();
}

/** The words that go to a channel: its variant where it has one. */
export function partsFor(
  parts: readonly PartContent[],
  variant: { readonly parts: readonly PartContent[] } | null,
): readonly PartContent[] {
  return variant?.parts ?? parts;
}

/** A post's words as one channel shows them. */
export interface PlacedContent {
  readonly parts: readonly PartContent[];
  /** A page that is shown as a card under the first part; null for none. */
  readonly card: string | null;
}

/**
 * Puts a post's link where readers of a channel see it: on a card where the platform has cards and the first part has no
 * media, else under the text of the first part, unless the text has it already.
 */
export function placeLink(
  parts: readonly PartContent[],
  link: string | null,
  showsLinkCard: boolean,
): PlacedContent {
  const [first, ...others] = parts;
  if (link === null || !first) return { parts, card: null };
  if (showsLinkCard && first.mediaIds.length === 0) return { parts, card: link };
  if (parts.some(({ text }) => text.includes(link))) return { parts, card: null };
  const text = first.text === "" ? link : `${first.text}\n\n${link}`;
  return { parts: [{ ...first, text }, ...others], card: null };
}

/** Hash of all that the public will see on one channel. 64 hexadecimal digits. */
export function contentHash(parts: readonly SealedPart[], card: string | null): string {
  return hashJson([parts.map(canonicalPart), card]);
}

/** The same for every attempt at the same part of the same delivery, another when the content changes. */
export function idempotencyKey(deliveryId: string, part: number, hash: string): string {
  return hashJson([deliveryId, part, hash]);
}

/** Arrays instead of objects: the order of keys cannot change the hash. */
function canonicalPart(part: SealedPart): unknown {
  return [part.text, part.media.map((medium) => [medium.sha256, medium.altText])];
}

/** SHA-256 of a value as JSON, in hexadecimal. Give it arrays and plain values only. */
export function hashJson(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}
