import type { PostView } from "../../shared/contract/post.ts";
import type { Variant } from "../../shared/domain/post.ts";
import type { PartContent } from "../../shared/domain/content.ts";
import type { PostWithDeliveries } from "../../shared/queries/posts.ts";
import { presentDeliverySummary } from "./delivery.ts";

export function presentPost({ post, deliveries }: PostWithDeliveries): PostView {
  return {
    id: post.id,
    externalId: post.externalId,
    state: post.state,
    version: post.version,
    parts: post.parts.map(presentPart),
    channelIds: [...post.channelIds],
    variants: presentVariants(post.variants),
    link: post.link,
    sources: post.sources.map(({ url, title }) => ({ url, title })),
    labels: [...post.labels],
    campaign: post.campaign,
    latestAfterMinutes: post.latestAfterMinutes,
    contentHash: post.contentHash,
    createdAt: post.createdAt.toISOString(),
    updatedAt: post.updatedAt.toISOString(),
    deliveries: deliveries.map(presentDeliverySummary),
  };
}

function presentPart({ text, mediaIds }: PartContent): PostView["parts"][number] {
  return { text, mediaIds: [...mediaIds] };
}

function presentVariants(variants: Readonly<Record<string, Variant>>): PostView["variants"] {
  return Object.fromEntries(
    Object.entries(variants).map(([id, { parts }]) => [id, { parts: parts.map(presentPart) }]),
  );
}
