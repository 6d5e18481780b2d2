/** The columns of an import, as people write them. Upper and lower case, spaces and underscores do not matter. */
export const IMPORT_COLUMNS = [
  "id",
  "channel",
  "time",
  "zone",
  "text",
  "parts",
  "media",
  "alt text",
  "link",
  "campaign",
  "labels",
  "sources",
] as const;

export type ImportColumn = (typeof IMPORT_COLUMNS)[number];

const REQUIRED: readonly ImportColumn[] = ["channel", "time", "zone", "text"];

/** Something about one cell. */
export interface ImportNote {
  /** As a spreadsheet counts: the header is row 1. */
  readonly row: number;
  readonly column: string;
  readonly code: string;
  readonly detail: string;
}

/** The cells of one row by column; a column that the file does not have is empty. */
export type ImportCells = Readonly<Record<ImportColumn, string>>;

/** Finds each column's place; what is unknown, missing or there twice is an error. */
export function readHeader(header: readonly string[]): {
  readonly places: ReadonlyMap<ImportColumn, number>;
  readonly errors: readonly ImportNote[];
} {
  const places = new Map<ImportColumn, number>();
  const errors: ImportNote[] = [];
  for (const [place, name] of header.entries()) {
    const column = columnNamed(name);
    if (column !== undefined && !places.has(column)) places.set(column, place);
    else if (column !== undefined) {
      errors.push(note(name, "import.column_twice", "The column is there twice."));
    } else if (name.trim() !== "") {
      const detail = `Unknown column. The columns are: ${IMPORT_COLUMNS.join(", ")}.`;
      errors.push(note(name.slice(0, 60), "import.unknown_column", detail));
    }
  }
  const missing = REQUIRED.filter((column) => !places.has(column));
  errors.push(
    ...missing.map((column) =>
      note(column, "import.missing_column", `The column "${column}" is missing.`),
    ),
  );
  return { places, errors };
}

/** The cells of a row, without space around them. */
export function cellsOf(
  cells: readonly string[],
  places: ReadonlyMap<ImportColumn, number>,
): ImportCells {
  const cell = (column: ImportColumn) => cells[places.get(column) ?? -1]?.trim() ?? "";
  return {
    id: cell("id"),
    channel: cell("channel"),
    time: cell("time"),
    zone: cell("zone"),
    text: cell("text"),
    parts: cell("parts"),
    media: cell("media"),
    "alt text": cell("alt text"),
    link: cell("link"),
    campaign: cell("campaign"),
    labels: cell("labels"),
    sources: cell("sources"),
  };
}

function columnNamed(name: string): ImportColumn | undefined {
  const plain = name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_]+/g, " ");
  return IMPORT_COLUMNS.find((column) => column === plain);
}

function note(column: string, code: string, detail: string): ImportNote {
  return { row: 1, column, code, detail };
}
