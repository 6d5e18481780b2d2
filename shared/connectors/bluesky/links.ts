import { linkifyit } from "linkify-it";

/** A web address in a text. Positions are UTF-16 indices, the end exclusive. */
export interface FoundLink {
  readonly start: number;
  readonly end: number;
  readonly url: string;
}

const linkify = linkifyit({ fuzzyLink: true });

/**
 * Finds web addresses with a scheme, and bare domains as people write them (`cdc.gov/heart`). E-mail addresses, other
 * schemes, and what only looks like a domain because a space is missing ("today.It is") stay text.
 */
export function findLinks(text: string): readonly FoundLink[] {
  const links: FoundLink[] = [];
  for (const { schema, index, lastIndex, raw, url } of linkify.match(text) ?? []) {
    const found = { start: index, end: lastIndex };
    if (schema === "http:" || schema === "https:") links.push({ ...found, url });
    if (schema === "" && isBareDomain(text, index, raw)) {
      links.push({ ...found, url: `https://${raw}` });
    }
  }
  return links;
}

function isBareDomain(text: string, index: number, raw: string): boolean {
  // A hashtag, a handle or a stock symbol that happens to hold a dot.
  if (/[#＃@$]$/u.test(text.slice(0, index))) return false;
  const host = raw.split(/[/?#:]/, 1)[0] ?? "";
  const [name = "", topLevel = ""] = host.split(".").slice(-2);
  const isNumber = /^\d+$/.test(name);
  // Two letters are a country: many of them are words, and a word after a full stop has a capital.
  const isWord = topLevel.length === 2 && topLevel !== topLevel.toLowerCase();
  return !isNumber && !isWord;
}
