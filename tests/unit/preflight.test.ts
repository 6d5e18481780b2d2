import { describe, expect, test } from "@jest/globals";
import {
  forecast,
  isNewsToOwners,
  nextPreflightAt,
  type PreflightFacts,
} from "../../shared/domain/preflight.ts";

const dueAt = new Date("2027-02-05T15:00:00Z");
const before = (minutes: number) => new Date(dueAt.getTime() - minutes * 60_000);
const after = (minutes: number) => before(-minutes);
const DAY = 24 * 60;

/** A delivery of tomorrow that nothing stands in the way of. */
const allWell: PreflightFacts = {
  dueAt,
  latestAt: after(15),
  now: before(DAY),
  attention: null,
  signInEndsAt: null,
  signInRenews: false,
  wait: null,
  isPlatformOut: false,
  isHeld: false,
  isAsScheduled: true,
  findings: [],
  brokenMediaIds: [],
  budgetFreeAt: null,
  hasNeighbour: false,
  wallClock: "as_meant",
};

/** The light, and the codes that explain it. */
function seen(facts: Partial<PreflightFacts>): readonly string[] {
  const { light, reasons } = forecast({ ...allWell, ...facts });
  return [light, ...reasons.map(({ code }) => code)];
}

const attention = { kind: "reauthorize", title: "It has ended", detail: "Reconnect it." } as const;
const finding = {
  severity: "error",
  rule: "text.too_long",
  because: "b",
  suggestion: null,
} as const;

describe("the light", () => {
  test("is green where nothing stands in the way", () => {
    expect(forecast(allWell)).toEqual({ light: "green", reasons: [] });
  });

  test.each<[string, Partial<PreflightFacts>, string, string]>([
    ["its channel needs a person", { attention }, "red", "channel.needs_attention"],
    ["a hold stops it", { isHeld: true }, "red", "hold.stands_in_the_way"],
    ["its content is another", { isAsScheduled: false }, "red", "content.not_as_scheduled"],
    ["a rule refuses its text", { findings: [finding] }, "red", "text.too_long"],
    ["a file is gone", { brokenMediaIds: ["a"] }, "red", "media.broken"],
    ["another post is too near", { hasNeighbour: true }, "amber", "channel.crowded"],
    ["the clocks skip its hour", { wallClock: "skipped" }, "amber", "time.not_as_meant"],
    ["its zone is gone", { wallClock: "unknown_zone" }, "amber", "time.not_as_meant"],
  ])("when %s", (_, facts, light, code) => {
    expect(seen(facts)).toEqual([light, code]);
  });

  test("is amber for a warning of a content check", () => {
    const warning = { ...finding, severity: "warning", rule: "alt_text.missing" } as const;

    expect(seen({ findings: [warning] })).toEqual(["amber", "alt_text.missing"]);
  });

  test("is red where anything is red, and gives every reason", () => {
    expect(seen({ hasNeighbour: true, isHeld: true })).toEqual([
      "red",
      "hold.stands_in_the_way",
      "channel.crowded",
    ]);
  });

  test("gives no more reasons than a person can read", () => {
    const findings = Array.from({ length: 100 }, () => finding);

    expect(forecast({ ...allWell, findings }).reasons).toHaveLength(20);
  });
});

describe("a sign-in", () => {
  test("that ends before the post and needs a person is red", () => {
    expect(seen({ signInEndsAt: before(1) })).toEqual(["red", "sign_in.ends"]);
    expect(seen({ signInEndsAt: after(1) })).toEqual(["green"]);
  });

  test("that Postwell renews is no reason before it has ended", () => {
    expect(seen({ signInEndsAt: before(60), signInRenews: true })).toEqual(["green"]);
  });

  test("that should have been renewed by now is amber", () => {
    const facts = { signInEndsAt: before(120), signInRenews: true, now: before(60) };

    expect(seen(facts)).toEqual(["amber", "sign_in.renewal_late"]);
  });
});

describe("a wait", () => {
  const wait = (until: Date) => ({ wait: { until, reason: "platform_limit" } }) as const;

  test("that is over by then is no reason", () => {
    expect(seen(wait(before(1)))).toEqual(["green"]);
  });

  test("that makes the post late is amber, and red where it makes it too late", () => {
    expect(seen(wait(after(10)))).toEqual(["amber", "channel.waits"]);
    expect(seen(wait(after(16)))).toEqual(["red", "channel.waits"]);
  });

  test("for an outage is amber while there is time, and red shortly before", () => {
    expect(seen({ isPlatformOut: true })).toEqual(["amber", "platform.out"]);
    expect(seen({ isPlatformOut: true, now: before(5) })).toEqual(["red", "platform.out"]);
  });

  test("for a budget is amber while the post is in time, and red otherwise", () => {
    expect(seen({ budgetFreeAt: after(10) })).toEqual(["amber", "budget.used_up"]);
    expect(seen({ budgetFreeAt: after(20) })).toEqual(["red", "budget.used_up"]);
  });
});

describe("those who own the post", () => {
  const isNews = (facts: Partial<PreflightFacts>) =>
    isNewsToOwners(forecast({ ...allWell, ...facts }));

  test("hear of what only the preflight knows", () => {
    expect(isNews({ brokenMediaIds: ["a"] })).toBe(true);
  });

  test("do not hear twice of a channel or a hold, nor of what is amber", () => {
    expect(isNews({ attention })).toBe(false);
    expect(isNews({ isHeld: true })).toBe(false);
    expect(isNews({ hasNeighbour: true })).toBe(false);
  });
});

describe("the next look", () => {
  test.each([
    [2 * DAY, DAY],
    [DAY, 60],
    [61, 60],
    [60, 5],
    [6, 5],
  ])("%i minutes before the time comes %i minutes before it", (now, next) => {
    expect(nextPreflightAt(dueAt, before(now))).toEqual(before(next));
  });

  test("does not come in the last five minutes", () => {
    expect(nextPreflightAt(dueAt, before(5))).toBeNull();
  });
});
