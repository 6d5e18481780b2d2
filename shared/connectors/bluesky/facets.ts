import * as z from "zod";
import { findLinks } from "./links.ts";
import { countGraphemes } from "../graphemes.ts";

export const Facet = z.object({
  index: z.object({ byteStart: z.int().nonnegative(), byteEnd: z.int().nonnegative() }),
  features: z.array(
    z.discriminatedUnion("$type", [
      z.object({ $type: z.literal("app.bsky.richtext.facet#link"), uri: z.string() }),
      z.object({ $type: z.literal("app.bsky.richtext.facet#tag"), tag: z.string() }),
      z.object({ $type: z.literal("app.bsky.richtext.facet#mention"), did: z.string() }),
    ]),
  ),
});

export type Facet = z.infer<typeof Facet>;

type Feature = Facet["features"][number];

interface Span {
  readonly start: number;
  readonly end: number;
  readonly feature: Feature;
}

/** Longest hashtag without its sign, in graphemes. Source: lexicon app.bsky.richtext.facet (read 2026-11-22) */
const MAX_TAG_LENGTH = 64;

const MENTION =
  /(?<=^|[\s(])@((?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)+[a-z](?:[a-z\d-]{0,61}[a-z\d])?)(?![\w@-])/gi;

// A keycap emoji starts with the same sign, hence the look-ahead; invisible characters end a tag.
const HASHTAG = /(?<=^|[\s("'“‘])[#＃](?!\uFE0F)([^\s#＃\p{Cf}]+)/gu;

/** Handles that a text mentions, lower case, each once. Whether they exist, only the platform knows. */
export function mentionedHandles(text: string): readonly string[] {
  const handles = [...text.matchAll(MENTION)].map(([, handle = ""]) => handle.toLowerCase());
  return [...new Set(handles)];
}

/**
 * What makes parts of a text live: links, hashtags, and mentions of the handles in `didByHandle` (others stay text). The
 * platform finds none of them itself. Offsets are UTF-8 bytes, in the order of the text, and never overlap.
 */
export function facetsOf(text: string, didByHandle: ReadonlyMap<string, string>): Facet[] {
  const spans: Span[] = findLinks(text).map(({ start, end, url }) => ({
    start,
    end,
    feature: { $type: "app.bsky.richtext.facet#link", uri: url },
  }));
  for (const span of [...mentionSpans(text, didByHandle), ...tagSpans(text)]) {
    if (!spans.some((other) => span.start < other.end && other.start < span.end)) spans.push(span);
  }
  return spans
    .sort((a, b) => a.start - b.start)
    .map(({ start, end, feature }) => ({
      index: { byteStart: byteOffset(text, start), byteEnd: byteOffset(text, end) },
      features: [feature],
    }));
}

function mentionSpans(text: string, didByHandle: ReadonlyMap<string, string>): Span[] {
  return [...text.matchAll(MENTION)].flatMap(({ 0: all, 1: handle = "", index }) => {
    const did = didByHandle.get(handle.toLowerCase());
    if (did === undefined) return [];
    const feature: Feature = { $type: "app.bsky.richtext.facet#mention", did };
    return [{ start: index, end: index + all.length, feature }];
  });
}

function tagSpans(text: string): Span[] {
  return [...text.matchAll(HASHTAG)].flatMap(({ 1: run = "", index }) => {
    const tag = run.replace(/\p{P}+$/u, "");
    // "#1" is a rank, not a topic.
    if (!/[^\d\p{P}]/u.test(tag) || countGraphemes(tag) > MAX_TAG_LENGTH) return [];
    const feature: Feature = { $type: "app.bsky.richtext.facet#tag", tag };
    return [{ start: index, end: index + 1 + tag.length, feature }];
  });
}

function byteOffset(text: string, index: number): number {
  return Buffer.byteLength(text.slice(0, index), "utf8");
}
