import { describe, expect, test } from "@jest/globals";
import { cellsOf, readHeader, type ImportCells } from "../../shared/domain/import-columns.ts";
import { readRow } from "../../shared/domain/import-row.ts";

const EMPTY = cellsOf([], new Map());

function read(cells: Partial<ImportCells>) {
  const base = { channel: "Heart", time: "2027-02-01T09:00", zone: "UTC", text: "Move more." };
  return readRow({ ...EMPTY, ...base, ...cells });
}

const codes = (cells: Partial<ImportCells>) =>
  read(cells).errors.map(({ column, code }) => [column, code]);

describe("the header", () => {
  test("may be written in any case, with spaces or underscores, in any order", () => {
    const { places, errors } = readHeader(["Text", " ALT_text ", "zone", "Time", "CHANNEL", ""]);

    expect(errors).toEqual([]);
    expect([...places]).toEqual([
      ["text", 0],
      ["alt text", 1],
      ["zone", 2],
      ["time", 3],
      ["channel", 4],
    ]);
  });

  test("may leave out all but channel, time, zone and text", () => {
    expect(readHeader(["channel", "time", "zone", "text"]).errors).toEqual([]);
    expect(readHeader(["id"]).errors.map(({ column }) => column)).toEqual([
      "channel",
      "time",
      "zone",
      "text",
    ]);
  });

  test("tells where the cells are, also in rows that are too short", () => {
    const { places } = readHeader(["channel", "time", "zone", "text", "link"]);

    expect(cellsOf([" Heart ", "x"], places)).toEqual({ ...EMPTY, channel: "Heart", time: "x" });
  });
});

describe("a row", () => {
  test("of few cells is a post of one part", () => {
    const { value, errors } = read({});

    expect(errors).toEqual([]);
    expect(value).toMatchObject({
      channelNames: ["Heart"],
      local: "2027-02-01T09:00",
      texts: ["Move more."],
      media: [],
      link: null,
      campaign: null,
      labels: [],
      sources: [],
    });
  });

  test("separates several things by bars and names each once", () => {
    const { value } = read({ channel: "Heart | Blood||Heart", labels: "sleep|food | sleep" });

    expect(value.channelNames).toEqual(["Heart", "Blood"]);
    expect(value.labels).toEqual(["sleep", "food"]);
  });

  test("has further parts between lines of three dashes, of which words may hold some", () => {
    const parts = "Two --- still two.\r\n ---  \r\nThree.\n---\nFour.";

    expect(read({ parts }).value.texts).toEqual([
      "Move more.",
      "Two --- still two.",
      "Three.",
      "Four.",
    ]);
  });

  test("puts media into parts, and alt texts beside media", () => {
    const { value, errors } = read({
      parts: "Two.",
      media: "a.png|2: b.png|c:d.png",
      "alt text": "An a||A colon",
    });

    expect(errors).toEqual([]);
    expect(value.media).toEqual([
      { part: 0, name: "a.png", altText: "An a" },
      { part: 1, name: "b.png", altText: "" },
      { part: 0, name: "c:d.png", altText: "A colon" },
    ]);
  });

  test("takes a space between day and hour", () => {
    expect(read({ time: "2027-02-01 09:00" }).value.local).toBe("2027-02-01T09:00");
    expect(read({ time: "1 Feb 2027" }).value.local).toBe("1 Feb 2027");
  });

  test("writes sources as title and address", () => {
    const sources = "CDC: Sleep | rest <https://www.cdc.gov/sleep/>";

    expect(
      read({ sources: "CDC <https://www.cdc.gov/>|NIH <https://www.nih.gov/>" }).value.sources,
    ).toEqual([
      { title: "CDC", url: "https://www.cdc.gov/" },
      { title: "NIH", url: "https://www.nih.gov/" },
    ]);
    expect(codes({ sources })).toEqual([["sources", "import.bad_source"]]);
  });

  test("without an id has one that the same words give again, and other words do not", () => {
    const one = read({}).value;

    expect(one.isIdDerived).toBe(true);
    expect(read({}).value.externalId).toBe(one.externalId);
    expect(read({ time: "2027-02-02T09:00" }).value.externalId).not.toBe(one.externalId);
    expect(read({ labels: "sleep" }).value.externalId).not.toBe(one.externalId);
    expect(read({ id: "a-1" }).value).toMatchObject({ externalId: "a-1", isIdDerived: false });
  });

  test.each<[Partial<ImportCells>, string, string]>([
    [{ channel: " | " }, "channel", "import.cell_empty"],
    [{ time: "" }, "time", "import.cell_empty"],
    [{ zone: "" }, "zone", "import.cell_empty"],
    [{ id: "x".repeat(201) }, "id", "import.cell_too_long"],
    [{ campaign: "x".repeat(201) }, "campaign", "import.cell_too_long"],
    [{ text: "x".repeat(50_001) }, "text", "import.cell_too_long"],
    [{ labels: "x".repeat(101) }, "labels", "import.too_many"],
    [{ parts: "x\n---\n".repeat(100) }, "parts", "import.too_many"],
    [{ media: "a|".repeat(21) }, "media", "import.too_many"],
    [{ media: "2:a.png" }, "media", "import.no_such_part"],
    [{ media: "0:a.png" }, "media", "import.no_such_part"],
    [{ media: "a.png", "alt text": "A|B" }, "alt text", "import.alt_text_count"],
    [{ link: "www.cdc.gov" }, "link", "import.bad_link"],
    [{ link: "ftp://cdc.gov/" }, "link", "import.bad_link"],
    [{ sources: "https://www.cdc.gov/" }, "sources", "import.bad_source"],
    [{ text: "a\0b" }, "text", "text.broken"],
  ])("of %j has an error in %s: %s", (cells, column, code) => {
    expect(codes(cells)).toEqual([[column, code]]);
  });
});
