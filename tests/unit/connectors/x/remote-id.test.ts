import { describe, expect, test } from "@jest/globals";
import { isRemoteId, publishedPart, timeOf } from "../../../../shared/connectors/x/remote-id.ts";

describe("an id", () => {
  test("carries the moment of its post", () => {
    expect(timeOf("1541815603606036480")).toEqual(new Date("2022-06-28T16:07:40.105Z"));
  });

  test.each(["", "0", "abc", "12a", "-5", "1e5", "12345678901234567890"])("is not %j", (text) => {
    expect(isRemoteId(text)).toBe(false);
    expect(timeOf(text)).toBeNull();
  });
});

test("a post has a permalink also where the handle is unknown", () => {
  expect(publishedPart("1541815603606036480", "heart").permalink).toBe(
    "https://x.com/heart/status/1541815603606036480",
  );
  expect(publishedPart("1541815603606036480", null).permalink).toBe(
    "https://x.com/i/status/1541815603606036480",
  );
});
