import twitterText from "twitter-text";
import type { StoredMedia, StoredStatus } from "./network.ts";

const MENTION = /(?<![=/\w])@([a-z0-9_]+)@[a-z0-9.-]+[a-z0-9]/gi;
const HASHTAG = /(?<![\w/&])#(\w+)/g;
const SHOWN_LINK_LENGTH = 30;

/** Length as the server counts it; written apart from the connector's, so that they check each other. */
export function countedLength(text: string, reservedPerUrl: number): number {
  let counted = text;
  for (const url of linksOf(text)) counted = counted.replace(url, "x".repeat(reservedPerUrl));
  counted = counted.replace(MENTION, "@$1");
  return [...new Intl.Segmenter("en", { granularity: "grapheme" }).segment(counted)].length;
}

/** A text as the server's HTML: paragraphs, links cut in three, mentions without their server. */
function contentOf(text: string): string {
  if (text === "") return "";
  const paragraphs = text.split(/\n\n+/).map((paragraph) => {
    const lines = paragraph.split("\n").map(lineOf);
    return `<p>${lines.join("<br />")}</p>`;
  });
  return paragraphs.join("");
}

export function attachmentOf(media: StoredMedia, base: string): object {
  const isReady = media.looksLeft <= 0;
  return {
    id: media.id,
    type: "image",
    url: isReady ? `${base}/media/${media.id}/original` : null,
    preview_url: `${base}/media/${media.id}/small`,
    remote_url: null,
    meta: {},
    description: media.description,
    blurhash: null,
  };
}

export function statusOf(status: StoredStatus, base: string, version: number) {
  const { account, counts } = status;
  return {
    id: status.id,
    created_at: status.at.toISOString(),
    in_reply_to_id: status.parent?.id ?? null,
    in_reply_to_account_id: status.parent?.account.id ?? null,
    sensitive: false,
    spoiler_text: status.spoilerText,
    visibility: status.visibility,
    language: "en",
    uri: `${base}/users/${account.username}/statuses/${status.id}`,
    url: `${base}/@${account.username}/${status.id}`,
    replies_count: counts.replies ?? status.replies,
    reblogs_count: counts.reposts ?? 0,
    favourites_count: counts.likes ?? 0,
    ...(version >= 4.5 && counts.quotes !== undefined && { quotes_count: counts.quotes }),
    edited_at: null,
    content: contentOf(status.text),
    reblog: null,
    account: { id: account.id, username: account.username, acct: account.username },
    media_attachments: status.media.map((media) => attachmentOf(media, base)),
    mentions: [],
    tags: [],
    emojis: [],
    card: null,
    poll: null,
  };
}

function linksOf(text: string): string[] {
  // Benches post a lot, and looking for links is the slowest part of it.
  if (!text.includes("://")) return [];
  return twitterText.extractUrls(text, { extractUrlsWithoutProtocol: false });
}

function lineOf(line: string): string {
  const links = linksOf(line);
  let html = "";
  let rest = line;
  for (const link of links) {
    const at = rest.indexOf(link);
    html += wordsOf(rest.slice(0, at)) + linkOf(link);
    rest = rest.slice(at + link.length);
  }
  return html + wordsOf(rest);
}

function linkOf(url: string): string {
  const prefix = /^https?:\/\/(?:www\.)?/.exec(url)?.[0] ?? "";
  const shown = url.slice(prefix.length, prefix.length + SHOWN_LINK_LENGTH);
  const hidden = url.slice(prefix.length + SHOWN_LINK_LENGTH);
  const dots = hidden === "" ? "" : "ellipsis";
  return (
    `<a href="${escaped(url)}" target="_blank" rel="nofollow noopener noreferrer">` +
    `<span class="invisible">${escaped(prefix)}</span><span class="${dots}">${escaped(shown)}</span>` +
    `<span class="invisible">${escaped(hidden)}</span></a>`
  );
}

function wordsOf(text: string): string {
  return escaped(text)
    .replace(
      MENTION,
      '<span class="h-card"><a href="https://remote.example/@$1" class="u-url mention">@<span>$1</span></a></span>',
    )
    .replace(HASHTAG, '<a href="/tags/$1" class="mention hashtag" rel="tag">#<span>$1</span></a>');
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
