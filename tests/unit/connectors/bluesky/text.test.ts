import { expect, test } from "@jest/globals";
import { normalise } from "../../../../shared/connectors/bluesky/text.ts";

test("takes composed, decomposed and differently broken lines for the same text", () => {
  expect(normalise("cafe\u0301\r\nopen ")).toBe("café\nopen");
});
