import { parse } from "csv-parse/sync";
import { DateTime } from "luxon";
import * as z from "zod";
import { normalizeText } from "../../shared/domain/content.ts";

/** One part as the public must see it. */
export interface PlannedPart {
  readonly text: string;
  readonly altTexts: readonly string[];
}

/** One post on one channel, read from the plan itself and not from what Postwell made of it. */
export interface PlannedDelivery {
  /** The plan's own id of the post. */
  readonly post: string;
  /** The channel's name. */
  readonly channel: string;
  readonly dueAt: Date;
  readonly parts: readonly PlannedPart[];
}

export interface Plan {
  /** In the order of their times. */
  readonly deliveries: readonly PlannedDelivery[];
  readonly postCount: number;
  /** File names of all images, each once. */
  readonly images: readonly string[];
}

const Row = z.object({
  id: z.string(),
  channel: z.string(),
  time: z.string(),
  zone: z.string(),
  text: z.string(),
  parts: z.string(),
  media: z.string(),
  "alt text": z.string(),
  link: z.string(),
});

type Row = z.infer<typeof Row>;

/**
 * Reads a plan as `examples/README.md` describes it. It shares no code with import and publishing, so that the demo can hold
 * one against the other.
 * @param hasCards whether a channel shows links as cards, beside the text
 */
export function readPlan(csv: string, hasCards: (channel: string) => boolean): Plan {
  const records: unknown = parse(csv, { columns: true, bom: true, skip_empty_lines: true });
  const rows = z.array(Row).parse(records);
  const deliveries = rows.flatMap((row) => deliveriesOf(row, hasCards));
  return {
    deliveries: deliveries.sort((a, b) => a.dueAt.getTime() - b.dueAt.getTime()),
    postCount: rows.length,
    images: [...new Set(rows.flatMap((row) => imagesOf(row).map(({ name }) => name)))].sort(),
  };
}

function deliveriesOf(row: Row, hasCards: (channel: string) => boolean): PlannedDelivery[] {
  const dueAt = DateTime.fromISO(row.time, { zone: row.zone }).toJSDate();
  const images = imagesOf(row);
  const further = row.parts === "" ? [] : row.parts.split(/^---$/m);
  const parts = [row.text, ...further].map((text, index) => ({
    text: normalizeText(text),
    altTexts: images
      .filter((image) => image.part === index + 1)
      .map((image) => normalizeText(image.altText)),
  }));
  return splitList(row.channel).map((channel) => ({
    post: row.id,
    channel,
    dueAt,
    parts: hasCards(channel) ? withCard(parts, row.link) : withLink(parts, row.link),
  }));
}

/** A card stands where an image would, so a first part with images has none. */
function withCard(parts: readonly PlannedPart[], link: string): readonly PlannedPart[] {
  return parts[0]?.altTexts.length === 0 ? parts : withLink(parts, link);
}

function withLink(parts: readonly PlannedPart[], link: string): readonly PlannedPart[] {
  const [first, ...others] = parts;
  if (!first || link === "" || parts.some(({ text }) => text.includes(link))) return parts;
  return [{ ...first, text: `${first.text}\n\n${link}` }, ...others];
}

/** `2:cpr-1-call.png` belongs to part 2, a name alone to part 1. */
function imagesOf(row: Row): { part: number; name: string; altText: string }[] {
  const altTexts = splitList(row["alt text"]);
  return splitList(row.media).map((entry, index) => {
    const [, part = "1", name = ""] = /^(?:(\d+):)?(.+)$/.exec(entry) ?? [];
    return { part: Number(part), name, altText: altTexts[index] ?? "" };
  });
}

function splitList(cell: string): string[] {
  return cell === "" ? [] : cell.split("|").map((item) => item.trim());
}
