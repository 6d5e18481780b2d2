import { describe, expect, test } from "@jest/globals";
import {
  afterFailedReadBack,
  differencesOf,
  doubtUntil,
  mayBlameOnePost,
  nextReadBackAt,
  verdictOf,
  type ShownPart,
} from "../../shared/domain/read-back.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const noon = new Date("2027-02-05T12:00:00Z");
const afterNoon = (ms: number) => new Date(noon.getTime() + ms);

describe("differences", () => {
  const sent = { part: 0, remoteId: "a", altTexts: ["A cuff", ""] };
  const same: ShownPart = { hasSameText: true, mediaCount: 2, altTexts: ["A cuff", ""] };
  const of = (change: Partial<ShownPart>) =>
    differencesOf([sent], new Map([["a", { ...same, ...change }]])).map(({ what }) => what);

  test("there are none where all is as it was sent", () => {
    expect(of({})).toEqual([]);
  });

  test.each<[Partial<ShownPart>, string[]]>([
    [{ hasSameText: false }, ["text"]],
    [{ altTexts: ["", ""] }, ["alt_text"]],
    [{ altTexts: ["A cuff", "An arm"] }, ["alt_text"]],
    [{ mediaCount: 1, altTexts: [""] }, ["media_count"]],
    [{ hasSameText: false, mediaCount: 0, altTexts: [] }, ["text", "media_count"]],
  ])("%j is told as %j", (change, expected) => {
    expect(of(change)).toEqual(expected);
  });

  test("what a platform does not tell is not compared", () => {
    expect(of({ hasSameText: null, mediaCount: null, altTexts: null })).toEqual([]);
  });

  test("white space and composition of an alt text do not count", () => {
    const cafe = { ...sent, altTexts: ["Caf\u00e9 at\n noon"] };
    const shown = { ...same, mediaCount: 1, altTexts: ["Cafe\u0301 at noon "] };

    expect(differencesOf([cafe], new Map([["a", shown]]))).toEqual([]);
  });

  test("each part of a thread stands for itself", () => {
    const parts = ["a", "b", "c"].map((remoteId, part) => ({ part, remoteId, altTexts: [] }));
    const plain = { hasSameText: true, mediaCount: 0, altTexts: [] };
    const shown = new Map([
      ["a", plain],
      ["c", { ...plain, hasSameText: false }],
    ]);

    const differences = differencesOf(parts, shown);

    expect(differences).toEqual([
      { part: 1, what: "missing" },
      { part: 2, what: "text" },
    ]);
    expect(verdictOf(differences)).toBe("missing");
    expect(verdictOf(differences.slice(1))).toBe("differs");
    expect(verdictOf([])).toBe("matches");
  });
});

test("a post is not called missing in its first ten minutes", () => {
  expect(doubtUntil(noon, afterNoon(MINUTE_MS))).toEqual(afterNoon(4 * MINUTE_MS));
  expect(doubtUntil(noon, afterNoon(10 * MINUTE_MS))).toBeNull();
});

test("receipts are checked after a minute and after a day, and then no more", () => {
  expect(nextReadBackAt(noon, noon)).toEqual(afterNoon(MINUTE_MS));
  expect(nextReadBackAt(noon, afterNoon(MINUTE_MS))).toEqual(afterNoon(24 * HOUR_MS));
  expect(nextReadBackAt(noon, afterNoon(24 * HOUR_MS))).toBeNull();
});

describe("a look that failed", () => {
  const after = (kind: Parameters<typeof mayBlameOnePost>[0], tries: number, until?: Date) =>
    afterFailedReadBack({ kind, tries, until: until ?? null, now: noon });

  test("is repeated ever later, and given up within a day", () => {
    const pauses = Array.from({ length: 7 }, (_, tries) => after("unavailable", tries));
    const minutes = pauses.map((at) => at && (at.getTime() - noon.getTime()) / MINUTE_MS);

    expect(minutes).toEqual([1, 5, 15, 60, 180, 360, null]);
  });

  test("is repeated when the platform says, as often as any other", () => {
    expect(after("rate_limited", 0, afterNoon(7 * MINUTE_MS))).toEqual(afterNoon(7 * MINUTE_MS));
    expect(after("rate_limited", 6, afterNoon(7 * MINUTE_MS))).toBeNull();
  });

  test("is not repeated where the platform refuses", () => {
    expect(after("permission", 0)).toBeNull();
  });

  test("may be one post's fault, unless the account or the platform is to blame", () => {
    expect((["bug", "gone"] as const).map(mayBlameOnePost)).toEqual([true, true]);
    expect((["reauthorize", "billing", "unavailable"] as const).map(mayBlameOnePost)).toEqual([
      false,
      false,
      false,
    ]);
  });
});
