import { CsvError, parse } from "csv-parse/sync";
import { AppError, type FieldError } from "../../shared/errors.ts";

/** A table as a spreadsheet writes it. */
export interface CsvTable {
  readonly header: readonly string[];
  /** Every line below the header that is not blank. */
  readonly records: readonly CsvRecord[];
}

interface CsvRecord {
  /** As a spreadsheet counts, blank lines included: the header is row 1. */
  readonly row: number;
  readonly cells: readonly string[];
}

/**
 * Reads CSV as spreadsheets save it: with or without a byte-order mark, comma or semicolon, any line ends, quoted
 * cells of several lines.
 * @throws {AppError} invalid `import.not_utf8`, `import.empty`, `import.broken_quotes`
 */
export function readCsv(bytes: Buffer): CsvTable {
  const text = decode(bytes);
  const lines = parseLines(text, delimiterOf(text));
  const [header = [], ...rest] = lines;
  if (isBlank(header)) {
    throw refusal("import.empty", "The file is empty, or its first line is blank.");
  }
  const records = rest.map((cells, index) => ({ row: index + 2, cells }));
  return { header, records: records.filter(({ cells }) => !isBlank(cells)) };
}

function decode(bytes: Buffer): string {
  try {
    // Also takes the byte-order mark away.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw refusal(
      "import.not_utf8",
      "The file is not in UTF-8. In Excel, save it as “CSV UTF-8 (Comma delimited)”.",
    );
  }
}

/** Excel writes semicolons where the comma is the decimal sign. No column's name holds either. */
function delimiterOf(text: string): "," | ";" {
  const [firstLine = ""] = text.split(/[\r\n]/, 1);
  const count = (sign: string) => firstLine.split(sign).length;
  return count(";") > count(",") ? ";" : ",";
}

function parseLines(text: string, delimiter: string): string[][] {
  try {
    return parse(text, {
      delimiter,
      relax_column_count: true,
      // Line ends inside of quotes stay, those of the lines may be of any kind.
      record_delimiter: ["\r\n", "\n", "\r"],
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const row: unknown = error["records"];
    const detail = `The quotation marks do not match in or after row ${Number(row) + 1}. A quotation mark inside of a quoted cell is written twice.`;
    const broken = refusal("import.broken_quotes", detail, { row: Number(row) + 1 });
    broken.cause = error;
    throw broken;
  }
}

function refusal(code: string, detail: string, facts: FieldError["facts"] = {}): AppError {
  return new AppError("invalid", code, detail, [{ path: "file", code, detail, facts }]);
}

function isBlank(cells: readonly string[]): boolean {
  return cells.every((cell) => cell.trim() === "");
}
