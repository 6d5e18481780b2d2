import { hashJson, normalizeText, type Source } from "./content.ts";
import { IMPORT_COLUMNS, type ImportCells, type ImportColumn } from "./import-columns.ts";
import { isWebAddress, POST_LIMITS } from "./post-limits.ts";

/** A row as it is meant; names are not looked up yet. */
export interface ImportRow {
  readonly externalId: string;
  /** The row has no id of its own: the same row again has the same one. */
  readonly isIdDerived: boolean;
  readonly channelNames: readonly string[];
  /** `2027-02-01T09:00`, if it is well written. */
  readonly local: string;
  readonly zone: string;
  readonly texts: readonly string[];
  readonly media: readonly ImportMedium[];
  readonly link: string | null;
  readonly campaign: string | null;
  readonly labels: readonly string[];
  readonly sources: readonly Source[];
}

export interface ImportMedium {
  /** From 0. */
  readonly part: number;
  /** A file name, or the id of a medium. */
  readonly name: string;
  /** Empty for the medium's own. */
  readonly altText: string;
}

/** What is wrong with a cell. */
export interface CellError {
  readonly column: ImportColumn;
  readonly code: string;
  readonly detail: string;
}

/** Reads one row and finds everything that is wrong with how it is written. */
export function readRow(cells: ImportCells): {
  readonly value: ImportRow;
  readonly errors: readonly CellError[];
} {
  const texts = textsOf(cells);
  const media = mediaOf(cells);
  const value: ImportRow = {
    externalId: cells.id === "" ? derivedId(cells) : cells.id,
    isIdDerived: cells.id === "",
    channelNames: [...new Set(listOf(cells.channel))],
    local: cells.time.replace(/^(\S+) +(\S+)$/, "$1T$2"),
    zone: cells.zone,
    texts,
    media,
    link: cells.link === "" ? null : cells.link,
    campaign: cells.campaign === "" ? null : cells.campaign,
    labels: [...new Set(listOf(cells.labels))],
    sources: listOf(cells.sources).flatMap((entry) => sourceOf(entry) ?? []),
  };
  return { value, errors: [...cellErrors(cells), ...rowErrors(cells, value)] };
}

function cellErrors(cells: ImportCells): CellError[] {
  return IMPORT_COLUMNS.filter((column) => cells[column].includes("\0")).map((column) =>
    error(column, "text.broken", "The cell holds a NUL character. Type it again."),
  );
}

function rowErrors(cells: ImportCells, row: ImportRow): CellError[] {
  const { labels, sources, parts, mediaPerPart, textLength } = POST_LIMITS;
  const perPart = row.texts.map((_, part) => row.media.filter((one) => one.part === part).length);
  const checks: readonly (CellError | false)[] = [
    isTooLong("id", row.externalId, POST_LIMITS.externalIdLength),
    row.channelNames.length === 0 &&
      error("channel", "import.cell_empty", "Name at least one channel."),
    row.local === "" && error("time", "import.cell_empty", "Give a time such as 2027-02-05T09:00."),
    row.zone === "" && error("zone", "import.cell_empty", "Give a zone such as America/Chicago."),
    row.texts.some((text) => text.length > textLength) &&
      error("text", "import.cell_too_long", `A part has at most ${textLength} characters.`),
    row.texts.length > parts &&
      error("parts", "import.too_many", `A post has at most ${parts} parts.`),
    perPart.some((count) => count > mediaPerPart) &&
      error("media", "import.too_many", `A part has at most ${mediaPerPart} media.`),
    row.media.some(({ part }) => part < 0 || part >= row.texts.length) &&
      error("media", "import.no_such_part", "A medium is for a part that the row does not have."),
    altTextsOf(cells).length > row.media.length &&
      error("alt text", "import.alt_text_count", "There are more alt texts than media."),
    row.link !== null &&
      !isWebAddress(row.link) &&
      error("link", "import.bad_link", "The link must be an http or https address."),
    isTooLong("campaign", row.campaign ?? "", POST_LIMITS.campaignLength),
    (row.labels.length > labels ||
      row.labels.some((one) => one.length > POST_LIMITS.labelLength)) &&
      error("labels", "import.too_many", `At most ${labels} labels of 100 characters each.`),
    (row.sources.length > sources || row.sources.length < listOf(cells.sources).length) &&
      error("sources", "import.bad_source", "Write a source as: Title <https://…>."),
  ];
  return checks.filter((check) => check !== false);
}

function isTooLong(column: ImportColumn, text: string, max: number): CellError | false {
  const detail = `The cell has ${text.length} of at most ${max} characters.`;
  return text.length > max && error(column, "import.cell_too_long", detail);
}

/** The first part is the text; the others are separated by lines of three dashes. */
function textsOf(cells: ImportCells): string[] {
  if (cells.parts === "") return [normalizeText(cells.text)];
  return [cells.text, ...cells.parts.split(/^[^\S\r\n]*---[^\S\r\n]*$/m)].map(normalizeText);
}

/** `2:cuff.png` belongs to the second part. */
function mediaOf(cells: ImportCells): ImportMedium[] {
  const altTexts = altTextsOf(cells);
  return listOf(cells.media).map((entry, index) => {
    const [, part, name] = /^(\d{1,3}):\s*(.+)$/.exec(entry) ?? [];
    const altText = altTexts[index] ?? "";
    return name === undefined
      ? { part: 0, name: entry, altText }
      : { part: Number(part) - 1, name, altText };
  });
}

/** An empty one between two bars stands for the medium's own, so empty ones count. */
function altTextsOf(cells: ImportCells): string[] {
  if (cells["alt text"] === "") return [];
  return cells["alt text"].split("|").map(normalizeText);
}

function sourceOf(entry: string): Source | null {
  const [, title = "", url = ""] = /^(.+?)\s*<(\S+)>$/.exec(entry) ?? [];
  if (title === "" || title.length > POST_LIMITS.sourceTitleLength) return null;
  return isWebAddress(url) ? { title, url } : null;
}

function listOf(cell: string): string[] {
  return cell
    .split("|")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

function derivedId(cells: ImportCells): string {
  return `import:${hashJson(IMPORT_COLUMNS.map((column) => normalizeText(cells[column])))}`;
}

function error(column: ImportColumn, code: string, detail: string): CellError {
  return { column, code, detail };
}
