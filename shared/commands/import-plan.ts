import { emptyParts } from "../checks/empty-parts.ts";
import type { Finding } from "../checks/finding.ts";
import type { Context } from "../context.ts";
import type { KnownPost } from "../db/imports.ts";
import type { ChannelReference, MediumReference } from "../db/post-references.ts";
import type { ImportColumn } from "../domain/import-columns.ts";
import type { CellError, ImportMedium, ImportRow } from "../domain/import-row.ts";
import { postHash, type PostContent } from "../domain/post.ts";
import { resolveWhen, type Moment } from "../domain/schedule.ts";
import { AppError } from "../errors.ts";
import { findingsOf } from "./post-references.ts";

/** What the rows name, as it is stored. */
export interface ImportLookups {
  /** By name in lower case. */
  readonly channels: ReadonlyMap<string, ChannelReference>;
  /** By file name and by id. */
  readonly media: ReadonlyMap<string, MediumReference>;
  /** By external id. */
  readonly posts: ReadonlyMap<string, KnownPost>;
  /** Media without alt text that a post shows already. */
  readonly shown: ReadonlySet<string>;
  readonly now: Date;
}

/** A row that becomes a post. */
export interface PlannedRow {
  readonly externalId: string;
  readonly content: PostContent;
  readonly contentHash: string;
  readonly moment: Moment;
  readonly channels: ReadonlyMap<string, ChannelReference>;
  /** As they will be described when the row is stored. */
  readonly media: ReadonlyMap<string, MediumReference>;
}

export type RowOutcome =
  | { readonly kind: "wrong"; readonly errors: readonly CellError[] }
  | { readonly kind: "existing" }
  | { readonly kind: "planned"; readonly planned: PlannedRow };

/** How late an imported post may go out. */
const LATEST_AFTER_MINUTES = 15;

/**
 * Decides what becomes of one well-written row.
 * @param altTexts what earlier rows say about media that have no alt text; this row's words are added
 */
export function planRow(
  context: Context,
  row: ImportRow,
  lookups: ImportLookups,
  altTexts: Map<string, string>,
): RowOutcome {
  const channels = new Map<string, ChannelReference>();
  const errors: CellError[] = [];
  for (const name of row.channelNames) {
    const channel = lookups.channels.get(name.toLowerCase());
    if (channel) channels.set(channel.id, channel);
    else errors.push(unknownChannel(name));
  }
  const { media, mediaIds, errors: mediaErrors } = describeMedia(row, lookups, altTexts);
  errors.push(...mediaErrors);
  const content = contentOf(row, [...channels.keys()], mediaIds);
  const known = lookups.posts.get(row.externalId);
  const when = momentOf(row, lookups.now);
  if (known && errors.length === 0) {
    // Before its time is looked at: a file that is imported again holds times that have passed.
    return sameAsBefore(row, known, { content, contentHash: postHash(content, media), when });
  }
  if (!("dueAt" in when)) errors.push(...when);
  const findings = [...emptyParts(content), ...findingsOf(context, content, { channels, media })];
  errors.push(...findings.filter(({ severity }) => severity === "error").map(asCellError));
  if (errors.length > 0 || !("dueAt" in when)) return { kind: "wrong", errors };
  const contentHash = postHash(content, media);
  const { externalId } = row;
  const planned = { externalId, content, contentHash, moment: when, channels, media };
  return { kind: "planned", planned };
}

function contentOf(
  row: ImportRow,
  channelIds: readonly string[],
  mediaIds: readonly (readonly string[])[],
): PostContent {
  const { link, campaign, labels, sources } = row;
  const parts = row.texts.map((text, part) => ({ text, mediaIds: mediaIds[part] ?? [] }));
  const plan = { latestAfterMinutes: LATEST_AFTER_MINUTES };
  return { parts, channelIds, variants: {}, link, sources, labels, campaign, ...plan };
}

interface DescribedMedia {
  readonly media: ReadonlyMap<string, MediumReference>;
  /** By part. */
  readonly mediaIds: readonly (readonly string[])[];
  readonly errors: readonly CellError[];
}

/**
 * Finds the row's media. An alt text belongs to the medium, not to its use: it is taken where the medium has none and no post
 * shows it yet; otherwise it must be the same.
 */
function describeMedia(
  row: ImportRow,
  { media: known, shown }: ImportLookups,
  altTexts: Map<string, string>,
): DescribedMedia {
  const media = new Map<string, MediumReference>();
  const mediaIds: string[][] = row.texts.map(() => []);
  const errors: CellError[] = [];
  for (const named of row.media) {
    const medium = known.get(named.name);
    const ofPart = mediaIds[named.part];
    if (!medium) errors.push(unknownMedium(named));
    else if (ofPart?.includes(medium.id)) errors.push(twiceInPart(named));
    else {
      ofPart?.push(medium.id);
      const current = medium.altText === "" ? (altTexts.get(medium.id) ?? "") : medium.altText;
      const mayDescribe = current === "" && !shown.has(medium.id);
      if (named.altText !== "" && named.altText !== current) {
        if (mayDescribe) altTexts.set(medium.id, named.altText);
        else errors.push(otherAltText(named));
      }
      media.set(medium.id, { ...medium, altText: altTexts.get(medium.id) ?? medium.altText });
    }
  }
  return { media, mediaIds, errors };
}

function sameAsBefore(
  row: ImportRow,
  known: KnownPost,
  now: { content: PostContent; contentHash: string; when: Moment | readonly CellError[] },
): RowOutcome {
  // An id that was made from the row proves that this very row was imported; the post may have been edited since.
  if (row.isIdDerived) return { kind: "existing" };
  const { content, contentHash, when } = now;
  const hasSameChannels =
    known.channelIds.length === content.channelIds.length &&
    content.channelIds.every((id) => known.channelIds.includes(id));
  if (contentHash !== known.contentHash || !hasSameChannels) {
    return conflict("id", "There is a post with this id, and its content or channels are others.");
  }
  const dueAt = "dueAt" in when ? when.dueAt.getTime() : null;
  const isMoved =
    dueAt !== null &&
    known.waitingFor.length > 0 &&
    known.waitingFor.every((time) => new Date(time).getTime() !== dueAt);
  if (isMoved) return conflict("time", "There is a post with this id, planned for another time.");
  return { kind: "existing" };
}

function conflict(column: ImportColumn, because: string): RowOutcome {
  const detail = `${because} An import changes no posts: edit that one, or give the row another id.`;
  return { kind: "wrong", errors: [{ column, code: "import.external_id_conflict", detail }] };
}

function momentOf(row: ImportRow, now: Date): Moment | readonly CellError[] {
  try {
    return resolveWhen({ local: row.local, zone: row.zone }, now);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.fields.map(({ path, code, detail }) => {
      return { column: path === "at.zone" ? "zone" : "time", code, detail };
    });
  }
}

/** Where a finding stands in the file: the text is the first part, the others share a cell. */
function asCellError({ field, rule, because }: Finding): CellError {
  const column = columnOf(field, rule);
  const [, part] = /^parts\.(\d+)/.exec(field) ?? [];
  const where = part === undefined || part === "0" ? "" : `Part ${Number(part) + 1}: `;
  return { column, code: rule, detail: `${where}${because}` };
}

function columnOf(field: string, rule: string): ImportColumn {
  if (rule.startsWith("alt_text.")) return "alt text";
  if (field.includes("mediaIds")) return "media";
  return field.startsWith("parts.0") ? "text" : "parts";
}

function unknownChannel(name: string): CellError {
  const detail = `There is no channel "${name.slice(0, 100)}".`;
  return { column: "channel", code: "post.unknown_channel", detail };
}

function unknownMedium({ name }: ImportMedium): CellError {
  const detail = `There is no medium "${name.slice(0, 100)}". Upload it first.`;
  return { column: "media", code: "post.unknown_media", detail };
}

function twiceInPart({ name }: ImportMedium): CellError {
  const detail = `The part shows "${name.slice(0, 100)}" twice.`;
  return { column: "media", code: "import.media_twice", detail };
}

function otherAltText({ name }: ImportMedium): CellError {
  const detail = `"${name.slice(0, 100)}" has another alt text already, or a post shows it. Change it there, or upload the image under another name.`;
  return { column: "alt text", code: "import.alt_text_conflict", detail };
}
