import { describe, expect, test } from "@jest/globals";
import { readCsv } from "../../api/http/csv.ts";
import { AppError } from "../../shared/errors.ts";

const LINES = [
  ["id", "channel", "text"],
  ["a-1", "Heart Center", 'Say "stop", rest; go on.'],
];

/** As a spreadsheet writes it. */
function written(delimiter: string): string {
  const cell = (text: string) => (/["\t;,]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return LINES.map((cells) => cells.map(cell).join(delimiter)).join("\r\n");
}

function utf16(text: string, order: "little" | "big"): Buffer {
  const bytes = Buffer.from(`\uFEFF${text}`, "utf16le");
  return order === "little" ? bytes : bytes.swap16();
}

function refusalOf(bytes: Buffer): unknown {
  try {
    return readCsv(bytes);
  } catch (error) {
    return error instanceof AppError ? { code: error.code, fields: error.fields } : error;
  }
}

describe("a table is read", () => {
  test.each([
    ["with commas", Buffer.from(written(","))],
    ["with semicolons", Buffer.from(written(";"))],
    ["with tabs", Buffer.from(written("\t"))],
    ["with a byte-order mark", Buffer.from(`\uFEFF${written(";")}`)],
    ["with Excel's line that names the delimiter", Buffer.from(`sep=;\r\n${written(";")}`)],
    ["with that line, quoted", Buffer.from(`"sep=,"\n${written(",")}`)],
    ["with that line behind a byte-order mark", Buffer.from(`\uFEFFsep=\t\r\n${written("\t")}`)],
    ["as Excel's Unicode Text", utf16(written("\t"), "little")],
    ["as UTF-16 with the other byte order", utf16(written(","), "big")],
  ])("%s", (_, bytes) => {
    const [header, cells] = LINES;

    expect(readCsv(bytes)).toEqual({ header, records: [{ row: 2, cells }] });
  });

  test("with the delimiter that the first line names, whatever the header looks like", () => {
    const { header } = readCsv(Buffer.from("sep=;\nid;text, and more,\n"));

    expect(header).toEqual(["id", "text, and more,"]);
  });
});

describe("a file is refused", () => {
  test.each([
    ["that is a workbook", Buffer.from("PK\u0003\u0004\u0014\u0000rest"), "import.workbook"],
    ["that is an old workbook", Buffer.of(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1), "import.workbook"],
    ["that is empty", Buffer.alloc(0), "import.empty"],
    ["that has only Excel's line", Buffer.from("sep=;\n"), "import.empty"],
    ["that is in Latin-1", Buffer.from("id,text\n1,Ern\xe4hrung", "latin1"), "import.not_utf8"],
    ["that is cut off in UTF-16", utf16("id\ttext", "little").subarray(0, 9), "import.not_utf8"],
    ["whose quotation marks do not match", Buffer.from('id,text\n1,"a'), "import.broken_quotes"],
  ])("%s", (_, bytes, code) => {
    expect(refusalOf(bytes)).toMatchObject({ code, fields: [{ path: "file", code }] });
  });
});
