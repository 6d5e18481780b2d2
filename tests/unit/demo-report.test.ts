import { expect, test } from "@jest/globals";
import { reactionsTo } from "../../scripts/demo/audience.ts";
import { progressLine } from "../../scripts/demo/progress.ts";
import { tableOf, waitingList } from "../../scripts/demo/report.ts";
import { openScreen } from "../../scripts/demo/screen.ts";
import { isSettled, outcomeOf, readingOf, type KnownDelivery } from "../../scripts/demo/stories.ts";
import { percentile, totalsOf } from "../../scripts/demo/totals.ts";

test("a percentile is the smallest value that so many do not exceed", () => {
  const values = Array.from({ length: 200 }, (_, index) => 200 - index);

  expect(percentile(values, 50)).toBe(100);
  expect(percentile(values, 99)).toBe(198);
  expect(percentile([7], 99)).toBe(7);
  expect(percentile([], 50)).toBeNull();
});

test("the table has a row a measure and fits a terminal of 80 columns", () => {
  const totals = { ...totalsOf([], [], () => false), planned: 205, lateP50Ms: 41 };
  const titles = ["Sandbox", "X", "Mastodon", "Bluesky", "all"];

  const lines = tableOf(
    titles.map((title) => ({ title, totals })),
    plainPaint,
  ).split("\n");

  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(lines.find((line) => line.includes("planned"))).toMatch(/(205\s*){5}$/);
  expect(lines.find((line) => line.includes("late p50"))).toContain("41 ms");
  expect(lines.find((line) => line.includes("late p99"))).toContain("–");
});

test.each([
  ["published", null, true],
  ["failed", null, true],
  ["unknown", null, true],
  ["unknown", "2027-02-01T15:00:00.000Z", false],
  ["scheduled", "2027-02-01T15:00:00.000Z", false],
  ["sending", null, false],
] as const)("a delivery in %s, looked at again %s, is settled: %s", (state, nextAt, settled) => {
  expect(isSettled({ state, nextAt })).toBe(settled);
});

test("an outcome tells how often it is public, how late it was complete, and what it took", () => {
  const delivery = publishedAt("2027-02-01T15:00:20.000Z", ["not_published", "published"]);

  expect(outcomeOf(delivery, 1)).toBe(
    "public once, 20 s late; the platform was asked: not there, sent again",
  );
  expect(outcomeOf(delivery, 2)).toMatch(/^public 2 times/);
});

test("what differs from 0 is told apart from what was not reported", () => {
  expect(readingOf({ likes: 0 }, ["likes", "replies"])).toMatch(/^1 of 2 metrics/);
  expect(readingOf({ likes: 0, replies: 0 }, ["likes", "replies"])).toContain("every metric");
});

test("readers' reactions never fall, and only what a platform reports is counted", () => {
  const ages = [0, 1, 24, 24 * 28].map((hours) => hours * 3_600_000);

  const likes = ages.map((ageMs) => reactionsTo({ remoteId: "1" }, ["likes"], ageMs));

  expect(likes.map((counts) => Object.keys(counts))).toEqual(ages.map(() => ["likes"]));
  const counts = likes.map(({ likes = -1 }) => likes);
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  expect(counts[0]).toBe(0);
});

test("a terminal gets a line that is wiped before the next one", () => {
  const terminal = fakeTerminal(true);
  const screen = openScreen(terminal, { NO_COLOR: "1" });

  screen.live("1 of 3");
  screen.live("2 of 3");
  screen.say("done");

  expect(terminal.written()).toBe("\r\u001B[2K1 of 3\r\u001B[2K2 of 3\r\u001B[2Kdone\n");
});

test("a pipe gets plain lines only", () => {
  const terminal = fakeTerminal(false);
  const screen = openScreen(terminal, {});

  screen.live("1 of 3");
  screen.say(screen.paint.bold("done"));

  expect(terminal.written()).toBe("done\n");
});

test("colours are left out where NO_COLOR is set", () => {
  const withColours = openScreen(fakeTerminal(true), {}).paint.bold("x");
  const without = openScreen(fakeTerminal(true), { NO_COLOR: "1" }).paint.bold("x");

  expect(withColours).not.toBe("x");
  expect(without).toBe("x");
});

test("the line that changes fits a terminal of 80 columns", () => {
  const look = { now: new Date("2027-03-20T15:00:00Z"), published: 205, readings: 1435 };

  const line = progressLine(look, 205, 61_000);

  expect(line).toBe(
    "Sat 20 Mar 10:00  ████████████████  205 of 205 published, 1435 readings  61 s",
  );
  expect(`  ${line}`.length).toBeLessThan(80);
});

const plainPaint = openScreen(fakeTerminal(false), {}).paint;

function fakeTerminal(isTTY: boolean) {
  let all = "";
  return {
    isTTY,
    columns: 80,
    write(text: string) {
      all += text;
      return true;
    },
    written: () => all,
  };
}

test("what waits for a person says why, a sentence a line", () => {
  const dueAt = new Date("2027-02-01T15:00:00.000Z");
  const error = {
    kind: "missed",
    title: "Its time passed",
    detail: "Nothing was published. It waited because its channel needed a person.",
    platformMessage: null,
    nextStep: "Retry it.",
  };
  const delivery = { ...publishedAt(dueAt.toISOString(), []), state: "missed" as const, error };
  const planned = { post: "p1", channel: "Heart", dueAt, parts: [] };
  const due = { snapshots: 0, snapshotsDue: 0, readBacksDue: 0, isChanged: false };

  expect(waitingList([{ planned, delivery, ...due }], plainPaint).split("\n")).toEqual([
    "  Heart, p1: missed, missed",
    "      Its time passed.",
    "      Nothing was published.",
    "      It waited because its channel needed a person.",
    "      Next step: Retry it.",
  ]);
});

function publishedAt(publishedAt: string, outcomes: readonly string[]): KnownDelivery {
  const id = "01a203c0-fc6d-7405-963d-a0581ac92e3f";
  const dueAt = "2027-02-01T15:00:00.000Z";
  const part = {
    part: 0,
    remoteId: "1",
    permalink: null,
    publishedAt,
    removedAt: null,
    knownBy: "answered" as const,
  };
  return {
    id,
    platform: "any",
    state: "published",
    dueAt,
    nextAt: null,
    receipt: { remoteId: "1", permalink: null, publishedAt, parts: [part] },
    error: null,
    attempts: outcomes.map((outcome) => {
      return { part: 0, armedAt: dueAt, answeredAt: dueAt, outcome, error: null };
    }),
    readBacks: [],
  };
}
