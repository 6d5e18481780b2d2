import { expect, test } from "@jest/globals";
import { encodeTid, newTid } from "../../../../shared/connectors/bluesky/tid.ts";

test("writes time and clock id in thirteen sortable digits", () => {
  expect(encodeTid(0, 0)).toBe("2222222222222");
  expect(encodeTid(0, 1023)).toBe("22222222222zz");
  expect(encodeTid(1, 0)).toBe("2222222222322");
});

test("sorts as its time does", () => {
  const early = encodeTid(1_800_000_000_000_000, 1023);
  const late = encodeTid(1_800_000_000_000_001, 0);

  expect(early < late).toBe(true);
});

test("keeps within a second before the clock", () => {
  const now = new Date("2027-02-05T15:00:00Z");
  const key = newTid(now);

  expect(key).toMatch(/^[2-7a-j][2-7a-z]{12}$/);
  expect(key < encodeTid((now.getTime() + 1) * 1000, 0)).toBe(true);
  expect(key > encodeTid((now.getTime() - 1001) * 1000, 0)).toBe(true);
});

test("gives a thousand posts of one moment a thousand keys", () => {
  const now = new Date("2027-02-05T15:00:00Z");
  const keys = new Set(Array.from({ length: 1000 }, () => newTid(now)));

  // One in 2000 runs has a pair; two pairs are as good as impossible.
  expect(keys.size).toBeGreaterThan(998);
});
