import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { countGraphemes } from "../../shared/connectors/graphemes.ts";

test.each([
  ["hello", 5],
  ["👨‍👩‍👧‍👦", 1],
  ["🇺🇦", 1],
  ["日本語", 3],
  ["e\u0301e\u0301", 2],
  ["नमस्ते", 3],
  ["see https://example.com/a/very/long/path?x=1", 44],
  ["a\nb", 3],
  ["a\r\nb", 3],
  ["“¿Qué? — Да”", 12],
  ["", 0],
])("counts %j as %d", (text, length) => {
  expect(countGraphemes(text)).toBe(length);
});

/** What joins its neighbours in one of the ways of Unicode, and ranges of what does not. */
const JOINING = Array.from("\u0301\u200d\ufe0f\u0600\r\u094d\u1100\u1161\u00ad\u200b©👩🇩क");
const character = fc.oneof(
  fc.constantFrom(...JOINING),
  fc.integer({ min: 0, max: 0x600 }).map((code) => String.fromCharCode(code)),
  fc.integer({ min: 0x2000, max: 0x206f }).map((code) => String.fromCharCode(code)),
);

test("skipping what is plain changes no count", () => {
  const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });
  fc.assert(
    fc.property(fc.array(character, { maxLength: 16 }), (characters) => {
      const text = characters.join("");
      expect([text, countGraphemes(text)]).toEqual([text, [...segmenter.segment(text)].length]);
    }),
    { numRuns: 2_000 },
  );
});
