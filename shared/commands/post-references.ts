import { emptyParts } from "../checks/empty-parts.ts";
import { asFieldError, type Finding } from "../checks/finding.ts";
import { fitsPlatform, type CheckedPart } from "../checks/fits-platform.ts";
import type { Context } from "../context.ts";
import type { Db } from "../db/client.ts";
import {
  findChannels,
  findMedia,
  type ChannelReference,
  type MediumReference,
} from "../db/post-references.ts";
import { partsFor, type PartContent } from "../domain/content.ts";
import { contentOn, mediaIdsOf, type PostContent } from "../domain/post.ts";
import { AppError, type FieldError } from "../errors.ts";
import { connectorOf } from "./channel-calls.ts";

/** What a post names, as it is stored. */
export interface References {
  readonly channels: ReadonlyMap<string, ChannelReference>;
  readonly media: ReadonlyMap<string, MediumReference>;
}

/**
 * Reads the channels and media of a post, and refuses what is not in the workspace or makes no sense.
 * @throws {AppError} invalid `part.empty`, `post.stray_variant`, `post.unknown_channel`, `post.unknown_media`
 */
export async function loadReferences(
  db: Db,
  workspaceId: string,
  content: PostContent,
): Promise<References> {
  refuse("part.empty", emptyParts(content).map(asFieldError));
  return loadKnown(db, workspaceId, content);
}

/** As `loadReferences`, for a post that may have empty parts. */
export async function loadKnown(
  db: Db,
  workspaceId: string,
  content: PostContent,
): Promise<References> {
  refuse("post.stray_variant", strayVariants(content));
  const channels = await findChannels(db, workspaceId, content.channelIds);
  refuse("post.unknown_channel", unknownChannels(content, channels));
  const media = await findMedia(db, workspaceId, mediaIdsOf(content));
  refuse("post.unknown_media", unknownMedia(content, media));
  return { channels, media };
}

/** What the platforms of a post's channels would refuse, and what readers there would miss. */
export function findingsOf(
  context: Context,
  content: PostContent,
  { channels, media }: References,
): Finding[] {
  return content.channelIds.flatMap((channelId) => {
    const channel = channels.get(channelId);
    if (!channel) return [];
    const { capabilities, name, platform } = channel;
    const connector = connectorOf(context, platform);
    const { parts: shown } = contentOn(content, channel);
    const written = partsFor(content.parts, content.variants[channelId] ?? null);
    const parts = shown.map((part, index) => {
      const writtenLength = written[index]?.text.length ?? 0;
      return { ...checkedPart(part, media), writtenLength };
    });
    const prefix = content.variants[channelId] ? `variants.${channelId}.` : "";
    const measure = (text: string) => connector.measure(text, capabilities);
    const target = { channelId, channelName: name, limits: capabilities, measure };
    return fitsPlatform(parts, target, prefix);
  });
}

/** @throws {AppError} invalid `post.does_not_fit`, one field error for each thing that a platform would refuse */
export function refuseMisfits(
  context: Context,
  content: PostContent,
  references: References,
): void {
  const errors = findingsOf(context, content, references).filter(
    ({ severity }) => severity === "error",
  );
  refuse("post.does_not_fit", errors.map(asFieldError));
}

function refuse(code: string, fields: readonly FieldError[]): void {
  const [first] = fields;
  if (first) throw new AppError("invalid", code, first.detail, fields);
}

function strayVariants({ channelIds, variants }: PostContent): FieldError[] {
  return Object.keys(variants)
    .filter((id) => !channelIds.includes(id))
    .map((id) => ({
      path: `variants.${id}`,
      code: "post.stray_variant",
      detail: "The variant is for a channel that the post does not go to.",
    }));
}

function unknownChannels(
  { channelIds }: PostContent,
  channels: ReadonlyMap<string, unknown>,
): FieldError[] {
  return channelIds.flatMap((id, index) =>
    channels.has(id)
      ? []
      : [
          {
            path: `channelIds.${index}`,
            code: "post.unknown_channel",
            detail: `There is no channel ${id}, or it was removed.`,
          },
        ],
  );
}

function unknownMedia(
  { parts, variants }: PostContent,
  media: ReadonlyMap<string, unknown>,
): FieldError[] {
  const inParts = (list: readonly PartContent[], prefix: string) =>
    list.flatMap(({ mediaIds }, part) =>
      mediaIds.flatMap((id, index) =>
        media.has(id) ? [] : [unknownMedium(id, `${prefix}parts.${part}.mediaIds.${index}`)],
      ),
    );
  const inVariants = Object.entries(variants).flatMap(([id, variant]) =>
    inParts(variant.parts, `variants.${id}.`),
  );
  return [...inParts(parts, ""), ...inVariants];
}

function unknownMedium(id: string, path: string): FieldError {
  const detail = `There is no medium ${id}, or it was removed.`;
  return { path, code: "post.unknown_media", detail };
}

function checkedPart(
  { text, mediaIds }: PartContent,
  media: ReadonlyMap<string, MediumReference>,
): Omit<CheckedPart, "writtenLength"> {
  return { text, media: mediaIds.flatMap((id) => media.get(id) ?? []) };
}
