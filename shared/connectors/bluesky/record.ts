import * as z from "zod";
import type { OutgoingMedia, OutgoingPart, PublishedPart } from "../connector.ts";
import { ConnectorError } from "../error.ts";
import { Facet } from "./facets.ts";

/** The collection of posts, and the type of each. */
export const POST = "app.bsky.feed.post";

export const Blob = z.object({
  $type: z.literal("blob"),
  ref: z.object({ $link: z.string().min(1) }),
  mimeType: z.string(),
  size: z.int().positive(),
});

export type Blob = z.infer<typeof Blob>;

const Image = z.object({
  image: Blob,
  alt: z.string(),
  aspectRatio: z.object({ width: z.int().positive(), height: z.int().positive() }).optional(),
});

const Embed = z.discriminatedUnion("$type", [
  z.object({ $type: z.literal("app.bsky.embed.images"), images: z.array(Image).min(1).max(4) }),
  z.object({
    $type: z.literal("app.bsky.embed.external"),
    external: z.object({ uri: z.string(), title: z.string(), description: z.string() }),
  }),
]);

const Reference = z.object({ uri: z.string(), cid: z.string() });

/** A whole post, but for what it answers: that is known only when the part before it is out. */
export const PostRecord = z.object({
  $type: z.literal(POST),
  text: z.string(),
  createdAt: z.iso.datetime(),
  facets: z.array(Facet).optional(),
  embed: Embed.optional(),
});

export type PostRecord = z.infer<typeof PostRecord>;

/** As much of a post, as it is read again, as tells one from another. Other programs may have changed it. */
export const StoredPost = z.object({
  text: z.string(),
  embed: z
    .object({ images: z.array(z.object({ alt: z.string().catch("") })).optional() })
    .optional(),
  reply: z.object({ parent: z.object({ uri: z.string() }) }).optional(),
});

export type StoredPost = z.infer<typeof StoredPost>;

/** What a post answers, both with address and content id. The root is the first post of the thread, however long it is. */
export function replyOf(thread: NonNullable<OutgoingPart["thread"]>) {
  return { root: referenceOf(thread.root), parent: referenceOf(thread.parent) };
}

/** The images of a post, in the author's order; none of them needs alt text, but the field must be there. */
export function imagesEmbed(media: readonly OutgoingMedia[], blobs: readonly Blob[]) {
  const images = blobs.map((image, index) => {
    const { altText = "", width = 0, height = 0 } = media[index] ?? {};
    const isMeasured = width > 0 && height > 0;
    return { image, alt: altText, ...(isMeasured && { aspectRatio: { width, height } }) };
  });
  return { $type: "app.bsky.embed.images" as const, images };
}

/** A card for a page. The platform looks nothing up, so that the card says no more than the address does. */
export function cardEmbed(link: string) {
  const title = URL.canParse(link) ? new URL(link).hostname.replace(/^www\./, "") : "";
  const external = { uri: link, title: title === "" ? link : title, description: "" };
  return { $type: "app.bsky.embed.external" as const, external };
}

function referenceOf({ remoteId, reference }: PublishedPart): z.infer<typeof Reference> {
  const found = Reference.safeParse({ uri: remoteId, cid: reference?.["cid"] });
  if (!found.success) throw new ConnectorError("bug", { platformCode: "reply_without_cid" });
  return found.data;
}
