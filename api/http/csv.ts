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
 * Reads CSV as spreadsheets save it: comma, semicolon or tab, UTF-8 with or without a byte-order mark or UTF-16 with one, any line
 * ends, quoted cells of several lines, and before the header a line such as `sep=;` if there is one.
 * @throws {AppError} invalid `import.workbook`, `import.not_utf8`, `import.empty`, `import.broken_quotes`
 */
export function readCsv(bytes: Buffer): CsvTable {
  if (isWorkbook(bytes)) {
    throw refusal("import.workbook", `This is a workbook, not a CSV file. ${SAVE_AS}`);
  }
  const text = decode(bytes);
  // Excel writes it for itself and counts no row for it.
  const [named = "", delimiter = delimiterOf(text)] = NAMED_DELIMITER.exec(text) ?? [];
  const lines = parseLines(text.slice(named.length), delimiter);
  const [header = [], ...rest] = lines;
  if (isBlank(header)) {
    throw refusal("import.empty", "The file is empty, or its first line is blank.");
  }
  const records = rest.map((cells, index) => ({ row: index + 2, cells }));
  return { header, records: records.filter(({ cells }) => !isBlank(cells)) };
}

const SAVE_AS = "In Excel, save it as “CSV UTF-8 (Comma delimited)”.";

const NAMED_DELIMITER = /^"?sep=([,;\t])"?(?:\r\n?|\n|$)/i;

/** How workbooks begin: a ZIP archive, as of Excel and LibreOffice today, and what Excel wrote before 2007. */
const WORKBOOKS = ["504b0304", "d0cf11e0"];

function isWorkbook(bytes: Buffer): boolean {
  return WORKBOOKS.includes(bytes.toString("hex", 0, 4));
}

/** Without its byte-order mark. Excel's “Unicode Text” is UTF-16, and only the mark tells. */
function decode(bytes: Buffer): string {
  const mark = bytes.toString("hex", 0, 2);
  const encoding = mark === "fffe" ? "utf-16le" : mark === "feff" ? "utf-16be" : "utf-8";
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw refusal("import.not_utf8", `The file is not in UTF-8, or is cut off. ${SAVE_AS}`);
  }
}

/** Excel writes semicolons where the comma is the decimal sign, and tabs as “Unicode Text”. No column's name holds any. */
function delimiterOf(text: string): string {
  const [firstLine = ""] = text.split(/[\r\n]/, 1);
  const count = (sign: string) => firstLine.split(sign).length;
  return [",", ";", "\t"].reduce((most, sign) => (count(sign) > count(most) ? sign : most));
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
