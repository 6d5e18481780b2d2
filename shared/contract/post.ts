import * as z from "zod";
import { hasVisible, isWebAddress, POST_LIMITS } from "../domain/post-limits.ts";
import { DeliverySummary } from "./delivery.ts";
import { Id } from "./ids.ts";

const WebAddress = z
  .string()
  .refine(isWebAddress, "must be an http or https address without a password");

const OneLine = (maxLength: number) =>
  z
    .string()
    .trim()
    .max(maxLength)
    .regex(/^[^\r\n]*$/, "must be one line")
    .refine(hasVisible, "says nothing");

const PartInput = z
  .strictObject({
    text: z.string().max(POST_LIMITS.textLength).default(""),
    mediaIds: z
      .array(Id)
      .max(POST_LIMITS.mediaPerPart)
      .refine(isDistinct, "names a medium twice")
      .default([]),
  })
  .describe("One part of a post; a thread has several. A part has a text, media, or both.");

const Parts = z.array(PartInput).min(1).max(POST_LIMITS.parts);
const Variant = z.strictObject({ parts: Parts });

const writable = {
  parts: Parts,
  channelIds: z
    .array(Id)
    .max(POST_LIMITS.channels)
    .refine(isDistinct, "names a channel twice")
    .describe("Where the post goes. May be empty while the post is a draft."),
  variants: z
    .record(Id, Variant)
    .describe("Other words for single channels, by channel id. Replaces the parts there."),
  link: WebAddress.nullable().describe(
    "A page to read on. It is shown as a card where the platform has cards and the first part no media, else below the first part's text, where it counts, unless the text has it already.",
  ),
  sources: z
    .array(z.strictObject({ url: WebAddress, title: OneLine(POST_LIMITS.sourceTitleLength) }))
    .max(POST_LIMITS.sources)
    .describe("Where the claims come from. Kept with the post, not published."),
  labels: z
    .array(OneLine(POST_LIMITS.labelLength))
    .max(POST_LIMITS.labels)
    .refine(isDistinct, "names a label twice"),
  campaign: OneLine(POST_LIMITS.campaignLength).nullable(),
  latestAfterMinutes: z
    .int()
    .min(1)
    .max(10_080)
    .describe("How late the post may still go out. After that a person decides."),
};

/** `POST /api/v1/posts`, and with the same shape `POST /api/v1/check`. */
export const CreatePostRequest = z.strictObject({
  externalId: OneLine(POST_LIMITS.externalIdLength)
    .nullable()
    .default(null)
    .describe("The post's id in the system that it comes from. Unique in the workspace."),
  parts: writable.parts,
  channelIds: writable.channelIds.default([]),
  variants: writable.variants.default({}),
  link: writable.link.default(null),
  sources: writable.sources.default([]),
  labels: writable.labels.default([]),
  campaign: writable.campaign.default(null),
  latestAfterMinutes: writable.latestAfterMinutes.default(15),
});

/** `PATCH /api/v1/posts/{id}`: what is absent stays as it is. */
export const EditPostRequest = z
  .strictObject({
    parts: writable.parts.optional(),
    channelIds: writable.channelIds.optional(),
    variants: writable.variants.optional(),
    link: writable.link.optional(),
    sources: writable.sources.optional(),
    labels: writable.labels.optional(),
    campaign: writable.campaign.optional(),
    latestAfterMinutes: writable.latestAfterMinutes.optional(),
  })
  .refine((body) => Object.keys(body).length > 0, "names nothing to change");

const PartView = z.object({ text: z.string(), mediaIds: z.array(z.uuid()) });

export const PostView = z
  .object({
    id: z.uuid(),
    externalId: z.string().nullable(),
    state: z.enum(["draft", "scheduled"]),
    version: z.int().describe("Counts edits of the post; the ETag holds it."),
    parts: z.array(PartView),
    channelIds: z.array(z.uuid()),
    variants: z.record(z.uuid(), z.object({ parts: z.array(PartView) })),
    link: z.string().nullable(),
    sources: z.array(z.object({ url: z.string(), title: z.string() })),
    labels: z.array(z.string()),
    campaign: z.string().nullable(),
    latestAfterMinutes: z.int(),
    contentHash: z.string().describe("Of all that the public will see."),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    deliveries: z.array(DeliverySummary),
  })
  .meta({ id: "Post" });

/** Filters of `GET /api/v1/posts`; paging is checked apart. */
export const PostFilter = z.object({
  state: z.enum(["draft", "scheduled"]).optional(),
  channelId: Id.optional(),
  campaign: z.string().max(200).optional(),
  label: z.string().max(100).optional(),
  externalId: z.string().max(200).optional(),
});

export type CreatePostRequest = z.output<typeof CreatePostRequest>;
export type EditPostRequest = z.output<typeof EditPostRequest>;
export type PostFilter = z.output<typeof PostFilter>;
export type PostView = z.output<typeof PostView>;

function isDistinct(items: readonly string[]): boolean {
  return new Set(items).size === items.length;
}
