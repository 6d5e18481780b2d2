import * as z from "zod";
import { Refusal } from "./refusal.ts";

/**
 * What the platform checks of a post before it stores it. Fields that it does not know are kept, and a facet that points
 * past the end of the text is accepted: both are as in the real one.
 * Source: lexicons app.bsky.feed.post, app.bsky.richtext.facet, app.bsky.embed.* (read 2026-11-22)
 */

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

const Did = z.string().regex(/^did:[a-z]+:[\w.:%-]+$/);
const Uri = z.string().regex(/^\w+:(?:\/\/)?[^\s/]\S*$/);
const AtUri = z.string().regex(/^at:\/\/did:[a-z]+:[\w.:%-]+\/[a-zA-Z.]+\/[\w.~:-]+$/);
const ContentId = z.string().regex(/^b[a-z2-7]{20,}$/);
const Reference = z.looseObject({ uri: AtUri, cid: ContentId });

const Blob = z.looseObject({
  $type: z.literal("blob"),
  ref: z.looseObject({ $link: ContentId }),
  mimeType: z.string(),
  size: z.int().nonnegative(),
});

const Facet = z.looseObject({
  index: z.looseObject({ byteStart: z.int().nonnegative(), byteEnd: z.int().nonnegative() }),
  features: z.array(
    z.discriminatedUnion("$type", [
      z.looseObject({ $type: z.literal("app.bsky.richtext.facet#link"), uri: Uri }),
      z.looseObject({ $type: z.literal("app.bsky.richtext.facet#mention"), did: Did }),
      z.looseObject({ $type: z.literal("app.bsky.richtext.facet#tag"), tag: limitedText(64, 640) }),
    ]),
  ),
});

const AspectRatio = z.looseObject({ width: z.int().min(1), height: z.int().min(1) });

const Images = z.looseObject({
  $type: z.literal("app.bsky.embed.images"),
  images: z
    .array(z.looseObject({ image: Blob, alt: z.string(), aspectRatio: AspectRatio.optional() }))
    .max(4),
});

const External = z.looseObject({
  $type: z.literal("app.bsky.embed.external"),
  external: z.looseObject({
    uri: Uri,
    title: z.string(),
    description: z.string(),
    thumb: Blob.optional(),
  }),
});

export const Post = z.looseObject({
  $type: z.literal("app.bsky.feed.post"),
  text: limitedText(300, 3000),
  createdAt: z.iso.datetime({ offset: true }),
  facets: z.array(Facet).optional(),
  reply: z.looseObject({ root: Reference, parent: Reference }).optional(),
  embed: z.discriminatedUnion("$type", [Images, External]).optional(),
  langs: z
    .array(z.string().regex(/^[a-z]{2,3}(?:-[\w-]+)?$/i))
    .max(3)
    .optional(),
  tags: z.array(limitedText(64, 640)).max(8).optional(),
});

export type Post = z.infer<typeof Post>;

/** A record key made of a time and a clock id; the platform takes no other for posts. */
const TID = /^[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}$/;

/** The post in a request to write one. Throws the platform's refusal. */
export function readPost(rkey: string, record: unknown): Post {
  if (!TID.test(rkey)) throw invalid(`Invalid record key for app.bsky.feed.post: ${rkey}`);
  const post = Post.safeParse(record);
  if (post.success) return post.data;
  const [issue] = post.error.issues;
  const path = (issue?.path ?? []).join("/");
  throw invalid(`Invalid app.bsky.feed.post record: Record/${path} ${issue?.message ?? ""}`);
}

/** The files that a post uses. */
export function blobsOf({ embed }: Post): readonly z.infer<typeof Blob>[] {
  if (embed?.$type === "app.bsky.embed.images") return embed.images.map(({ image }) => image);
  const thumb = embed?.external.thumb;
  return thumb ? [thumb] : [];
}

export function invalid(message: string): Refusal {
  return new Refusal(400, "InvalidRequest", message);
}

function limitedText(maxGraphemes: number, maxBytes: number) {
  return z
    .string()
    .refine(
      (text) => Buffer.byteLength(text) <= maxBytes,
      `must not be longer than ${maxBytes} bytes`,
    )
    .refine(
      (text) => text.length <= maxGraphemes || graphemes(text) <= maxGraphemes,
      `must not be longer than ${maxGraphemes} graphemes`,
    );
}

function graphemes(text: string): number {
  return [...segmenter.segment(text)].length;
}
