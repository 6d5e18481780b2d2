import { expect, test } from "@jest/globals";
import { measure, normalise } from "../../../../shared/connectors/bluesky/text.ts";

test.each([
  ["hello", 5],
  ["👨‍👩‍👧‍👦", 1],
  ["🇺🇦", 1],
  ["日本語", 3],
  ["e\u0301e\u0301", 2],
  ["नमस्ते", 3],
  ["see https://example.com/a/very/long/path?x=1", 44],
  ["a\nb", 3],
  ["", 0],
])("counts %j as %d", (text, length) => {
  expect(measure(text)).toBe(length);
});

test("takes composed, decomposed and differently broken lines for the same text", () => {
  expect(normalise("cafe\u0301\r\nopen ")).toBe("café\nopen");
});
