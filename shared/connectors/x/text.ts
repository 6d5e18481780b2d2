import twitterText from "twitter-text";

/** Made by a constructor because the compiler's target does not know the `v` flag; Node 20 does. */
const EMOJI = new RegExp("\\p{RGI_Emoji}", "gv");

/**
 * Weighted length: a link counts as 23, an emoji as 2, most other letters beyond Latin as 2. Emoji newer than the tables of
 * twitter-text 3.1.0 would weigh up to 11; X counts each as 2, so they are exchanged for one that the library knows.
 * Source: https://docs.x.com/fundamentals/counting-characters (read 2026-11-22)
 */
export function weightedLength(text: string): number {
  return twitterText.parseTweet(text.replace(EMOJI, "😀")).weightedLength;
}

/** The fields of a post, as X returns them, that tell what was written. */
export interface ReturnedText {
  readonly text: string;
  readonly entities?: Entities | undefined;
  /** Present where the post is too long for `text`, which is cut off then. */
  readonly note_tweet?:
    { readonly text: string; readonly entities?: Entities | undefined } | undefined;
}

interface Entities {
  readonly urls?: readonly ReturnedUrl[] | undefined;
}

interface ReturnedUrl {
  readonly url: string;
  readonly expanded_url?: string | undefined;
  readonly media_key?: string | undefined;
}

/** A text in a form in which what was sent and what X returned of it are equal. */
export function fingerprint(text: string): string {
  const links = twitterText.extractUrlsWithIndices(text.normalize("NFC"));
  let plain = "";
  let end = 0;
  for (const { url, indices } of links) {
    plain += text.normalize("NFC").slice(end, indices[0]) + plainLink(url);
    end = indices[1];
  }
  plain += text.normalize("NFC").slice(end);
  // Links that only X recognises come back with a scheme that the author did not write.
  return plain
    .replace(/\bhttps?:\/\//gi, "")
    .replace(/\s+/g, " ")
    .trim();
}

/** The fingerprint of a returned post: without X's short links, the links of its media, and HTML entities. */
export function returnedFingerprint(post: ReturnedText): string {
  const { text, entities } = post.note_tweet ?? post;
  let plain = decodeEntities(text);
  for (const link of [...(post.entities?.urls ?? []), ...(entities?.urls ?? [])]) {
    const written = isMediaLink(link) ? "" : (link.expanded_url ?? link.url);
    plain = plain.replaceAll(link.url, () => written);
  }
  return fingerprint(plain);
}

function isMediaLink({ media_key: mediaKey, expanded_url: expanded }: ReturnedUrl): boolean {
  if (mediaKey !== undefined) return true;
  return /^https:\/\/(x|twitter)\.com\/\w+\/status\/\d+\/(photo|video)\/\d+$/.test(expanded ?? "");
}

/** Without scheme and default slash, and with the escapes that a browser would make, as X expands links in its own way. */
function plainLink(link: string): string {
  const address = /^https?:\/\//i.test(link) ? link : `https://${link}`;
  if (!URL.canParse(address)) return link;
  const { host, pathname, search, hash } = new URL(address);
  return host + (pathname === "/" && search + hash === "" ? "" : pathname) + search + hash;
}

const ENTITIES = new Map([
  ["&amp;", "&"],
  ["&lt;", "<"],
  ["&gt;", ">"],
  ["&quot;", '"'],
  ["&#39;", "'"],
]);

/** One pass, so that an author's own `&amp;`, which X escapes again, comes back as written. */
function decodeEntities(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES.get(entity) ?? entity);
}
