import twitterText from "twitter-text";
import type { Capabilities } from "../capabilities.ts";
import { countGraphemes } from "../graphemes.ts";

interface Span {
  readonly start: number;
  readonly end: number;
  /** Null for a link, whose length is the server's to say. */
  readonly mention: string | null;
}

/** More than a domain name can hold; such a mention is plain text. */
const MAX_DOMAIN_LENGTH = 253;

/**
 * What a link may hold after its host. A path goes on over anything but white space, angle brackets and a lone parenthesis,
 * and ends before punctuation; that is wider than on X, whose list of top-level domains it shares.
 * Source: https://github.com/mastodon/mastodon config/initializers/twitter_regex.rb (read 2026-11-22)
 */
const PATH_CHAR = String.raw`[^\p{White_Space}<>()?]`;
const PATH_PARENS = String.raw`\((?:${PATH_CHAR}+|${PATH_CHAR}*\(${PATH_CHAR}+\)${PATH_CHAR}*)\)`;
const PATH_END = String.raw`(?:[^\p{White_Space}()?!*"'「」<>;:=,.$%\[\]~&\|@]|${PATH_PARENS})`;
const PATH = String.raw`(?:${PATH_CHAR}*(?:${PATH_PARENS}${PATH_CHAR}*)*${PATH_END}|${PATH_CHAR}+\/)`;
const QUERY = String.raw`[a-z0-9!?*'\(\);:&=+$\/%#\[\]\-_.,~\|@\^\u{A0}-\u{10FFFD}]*[a-z0-9_&=#\/\-\u{A0}-\u{10FFFD}]`;
const TAIL = new RegExp(String.raw`(?::\d+)?(?:\/${PATH}*)?(?:\?${QUERY})?`, "iuy");
const LINK_START = /(?<![A-Za-z0-9@＠$#＃])(?:https?|dat|dweb|ipfs|ipns|ssb|gopher|gemini):\/\//giu;
const HOST = /[^\s/?#:@<>()[\]"'\\]+/uy;

/**
 * A name, and the server after a second `@`. A word before the first `@` makes it an e-mail address or part of a link.
 * Source: https://github.com/mastodon/mastodon app/models/account.rb, MENTION_RE (read 2026-11-22)
 */
const WORD = String.raw`[\p{L}\p{M}\p{Nd}\p{Pc}]`;
const NAME = "[a-z0-9_]+(?:[.-]+[a-z0-9_]+)*";
const MENTION = new RegExp(
  String.raw`(?<![=\/]|${WORD})@(${NAME})(?:@(${WORD}+(?:[.-]+${WORD}+)*))?`,
  "giu",
);
const AFTER_NO_MENTION = /^(?:[@＠]|:\/\/)/;

/**
 * Characters as a reader sees them; a link counts as the server reserves for it, `@name@server` as `@name`.
 * Source: https://docs.joinmastodon.org/user/posting/#text (read 2026-11-22)
 */
export function measure(text: string, { text: { linkLength } }: Capabilities): number {
  const counted = rewrite(text, (span, written) => {
    if (span.mention !== null) return span.mention;
    return linkLength === null ? written : "x".repeat(linkLength);
  });
  return countGraphemes(counted);
}

/** The text with every `@name@server` as `@name`, the way a server shows it. */
export function withShortMentions(text: string): string {
  return rewrite(text, (span, written) => span.mention ?? written);
}

function rewrite(text: string, replace: (span: Span, written: string) => string): string {
  let result = "";
  let from = 0;
  for (const span of spansOf(text)) {
    // Overlapping entities: the one that begins first wins.
    if (span.start < from) continue;
    result += text.slice(from, span.start) + replace(span, text.slice(span.start, span.end));
    from = span.end;
  }
  return result + text.slice(from);
}

function spansOf(text: string): Span[] {
  return [...linksIn(text), ...mentionsIn(text)].sort((a, b) => a.start - b.start);
}

function* linksIn(text: string): Generator<Span> {
  for (const scheme of text.matchAll(LINK_START)) {
    const hostStart = scheme.index + scheme[0].length;
    const hostEnd = hostStart + knownHost(matchAt(HOST, text, hostStart)).length;
    if (hostEnd === hostStart) continue;
    const end = hostEnd + matchAt(TAIL, text, hostEnd).length;
    yield { start: scheme.index, end, mention: null };
  }
}

/** As much of a host as ends in a top-level domain that exists; empty where none does, such as for `localhost`. */
function knownHost(host: string): string {
  const [url] = twitterText.extractUrls(`https://${host}`, { extractUrlsWithoutProtocol: false });
  return url?.slice("https://".length) ?? "";
}

function* mentionsIn(text: string): Generator<Span> {
  for (const match of text.matchAll(MENTION)) {
    const [written, name = "", server] = match;
    const end = match.index + written.length;
    if (AFTER_NO_MENTION.test(text.slice(end, end + 3))) continue;
    if (server !== undefined && server.length > MAX_DOMAIN_LENGTH) continue;
    yield { start: match.index, end, mention: `@${name}` };
  }
}

function matchAt(sticky: RegExp, text: string, index: number): string {
  // A copy, as a sticky expression remembers where it stopped.
  const expression = new RegExp(sticky);
  expression.lastIndex = index;
  return expression.exec(text)?.[0] ?? "";
}
