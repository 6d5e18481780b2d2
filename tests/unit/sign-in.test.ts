import { describe, expect, test } from "@jest/globals";
import { attentionFor, endsWithCheck, RENEWAL_LOST } from "../../shared/domain/channel.ts";
import { checkAgainAt, renewAgainAt, renewAt } from "../../shared/domain/sign-in.ts";

const now = new Date("2027-02-05T12:00:00Z");
const after = (minutes: number) => new Date(now.getTime() + minutes * 60_000);

describe("a renewal", () => {
  test.each([
    ["of two hours comes when a fifth is left", 120, 96],
    ["of sixty days, too", 60 * 24 * 60, 48 * 24 * 60],
    ["of an hour comes twenty minutes before its end", 60, 40],
    ["of ten minutes comes in the middle", 10, 5],
    ["that has ended comes in a minute, not again and again", -5, 1],
  ])("of a sign-in %s", (_what, endsAfter, expected) => {
    expect(renewAt(after(endsAfter), now)).toEqual(after(expected));
  });

  test("that failed is tried again the sooner, the less time is left", () => {
    const pauses = [60, 12, 2, 0.1, -1].map(
      (left) => (renewAgainAt(after(left), now).getTime() - now.getTime()) / 1_000,
    );

    expect(pauses).toEqual([300, 180, 30, 15, 60]);
    expect(renewAgainAt(null, now)).toEqual(after(1));
  });
});

test("checks are spread, and come at least daily", () => {
  expect(checkAgainAt("well", now, 1)).toEqual(after(24 * 60));
  expect(checkAgainAt("well", now, 0) < after(20 * 60)).toBe(true);
  expect(checkAgainAt("needs_person", now, 1)).toEqual(after(60));
});

describe("attention", () => {
  const refused = { kind: "reauthorize", platformMessage: "No.", platformCode: "401" } as const;

  test("quotes the platform and says what to do", () => {
    expect(attentionFor(refused)).toMatchObject({
      title: "The channel's sign-in has ended",
      detail: expect.stringMatching(/^The platform says: No\. Reconnect the channel\./),
    });
  });

  test("tells a sign-in that was lost from one that was taken back", () => {
    const lost = attentionFor({ ...refused, platformCode: RENEWAL_LOST });

    expect(lost?.title).toContain("lost while it was being renewed");
    expect(lost?.detail).toContain("Reconnect the channel.");
  });

  test("is no matter of the channel where one post is to blame", () => {
    expect(attentionFor({ ...refused, kind: "content_rejected" })).toBeNull();
  });

  test("that a refused post has raised does not end with a check, which only reads", () => {
    const attention = { kind: "billing", title: "", detail: "" } as const;

    expect(endsWithCheck(attention)).toBe(false);
    expect(endsWithCheck({ ...attention, foundBy: "check" })).toBe(true);
    expect(endsWithCheck({ ...attention, kind: "reauthorize" })).toBe(true);
  });
});
