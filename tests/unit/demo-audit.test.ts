import { expect, test } from "@jest/globals";
import { audit, type CheckedDelivery } from "../../scripts/demo/audit.ts";
import type { KnownDelivery } from "../../scripts/demo/stories.ts";
import { totalsOf } from "../../scripts/demo/totals.ts";
import type { SimulatedPost } from "../../shared/connectors/simulator.ts";

const CHANNEL = "Heart Center";
const DUE = "2027-02-01T15:00:00.000Z";

test("a thread that is public as planned leaves nothing to say", () => {
  expect(kinds([checked()], [first, second])).toEqual([]);
});

test("a second copy is a duplicate", () => {
  const copy = { ...first, remoteId: "9" };

  expect(kinds([checked()], [first, second, copy])).toEqual(["doubled"]);
});

test("a receipt without a public post is a loss", () => {
  expect(kinds([checked()], [first])).toEqual(["lost"]);
});

test("a public post that was removed is a loss", () => {
  expect(kinds([checked()], [first, { ...second, removed: true }])).toContain("lost");
});

test("a published thread with a receipt too few is a loss, and its last part unrecorded", () => {
  const delivery = published({ receiptParts: 1 });

  expect(kinds([checked({ delivery })], [first, second])).toEqual(["lost", "unrecorded"]);
});

test("a failed delivery that is public all the same is found", () => {
  const delivery = failed();

  expect(kinds([checked({ delivery, snapshots: 0 })], [first])).toEqual(["unrecorded"]);
});

test("a failed delivery that nobody explains is found", () => {
  const delivery = { ...failed(), error: null };

  expect(kinds([checked({ delivery })], [])).toEqual(["stuck"]);
});

test.each([
  ["another text", { text: "First!" }],
  ["another alt text", { altTexts: ["A cat"] }],
  ["another parent", { parent: "7" }],
])("%s than planned is found", (_, change) => {
  expect(kinds([checked()], [{ ...first, ...change }, second])).toEqual(["differs"]);
});

test("two deliveries cannot share one public post", () => {
  expect(kinds([checked(), checked()], [first, second])).toEqual(["lost", "lost"]);
});

test("a delivery at another minute than the plan's is found", () => {
  const delivery = { ...published({}), dueAt: "2027-02-01T16:00:00.000Z" };

  expect(kinds([checked({ delivery })], [first, second])).toEqual(["wrong_time"]);
});

test.each(["scheduled", "sending", "unknown"] as const)(
  "a delivery that a worker should still look at is stuck in %s",
  (state) => {
    const delivery = { ...failed(), state, nextAt: DUE };

    expect(kinds([checked({ delivery })], [])).toEqual(["stuck"]);
  },
);

test("an unknown outcome that a person was told of is not stuck", () => {
  const delivery = { ...failed(), state: "unknown" as const };

  expect(kinds([checked({ delivery })], [])).toEqual([]);
});

test("an attempt without an answer is found", () => {
  const attempt = { part: 0, armedAt: DUE, answeredAt: null, outcome: null, error: null };
  const delivery = { ...published({}), attempts: [attempt] };

  expect(kinds([checked({ delivery })], [first, second])).toEqual(["stuck"]);
});

test("a missing reading is found", () => {
  expect(kinds([checked({ snapshots: 6 })], [first, second])).toEqual(["snapshot_missing"]);
});

test("a missing read-back is found", () => {
  const delivery = { ...published({}), readBacks: [readBack("matches")] };

  expect(kinds([checked({ delivery })], [first, second])).toEqual(["read_back_missing"]);
});

test("a change that Postwell did not notice is found, and one that it made up", () => {
  const changed = { ...published({}), readBacks: [readBack("matches"), readBack("differs")] };

  expect(kinds([checked({ isChanged: true })], [first, second])).toEqual(["read_back_wrong"]);
  expect(kinds([checked({ delivery: changed })], [first, second])).toEqual(["read_back_wrong"]);
  expect(kinds([checked({ delivery: changed, isChanged: true })], [first, second])).toEqual([]);
});

test("a row that the import forgot is found", () => {
  expect(kinds([checked({ delivery: null })], [])).toEqual(["not_imported"]);
});

test("a public post that nobody planned is found", () => {
  expect(kinds([checked()], [first, second, { ...first, text: "Buy!", remoteId: "9" }])).toEqual([
    "unplanned",
  ]);
});

test("totals count states, duplicates and losses, and lateness without what was troubled", () => {
  const late = { ...published({}), attempts: [attemptAt("2027-02-01T15:00:00.040Z")] };
  const troubled = { ...published({}), attempts: [attemptAt("2027-02-01T15:05:00.000Z")] };
  const all = [
    checked({ delivery: late }),
    checked({ delivery: troubled }),
    checked({ delivery: failed() }),
  ];
  const findings = audit(all, new Map([[CHANNEL, [first, second]]]));

  const totals = totalsOf(all, findings, ({ delivery }) => delivery === troubled);

  expect(totals).toMatchObject({
    planned: 3,
    published: 2,
    failed: 1,
    duplicates: 0,
    lost: 2,
    attempts: 2,
    lateP50Ms: 40,
    lateP99Ms: 40,
    snapshots: 21,
  });
});

function kinds(all: readonly CheckedDelivery[], posts: readonly SimulatedPost[]): string[] {
  return audit(all, new Map([[CHANNEL, posts]])).map(({ kind }) => kind);
}

const first: SimulatedPost = {
  account: "heart",
  remoteId: "1",
  text: "First",
  altTexts: ["A heart"],
  parent: null,
  at: new Date(DUE),
  removed: false,
};
const second: SimulatedPost = {
  ...first,
  remoteId: "2",
  text: "Second",
  altTexts: [],
  parent: "1",
};

function checked(change: Partial<CheckedDelivery> = {}): CheckedDelivery {
  const parts = [
    { text: "First", altTexts: ["A heart"] },
    { text: "Second", altTexts: [] },
  ];
  const planned = { post: "p1", channel: CHANNEL, dueAt: new Date(DUE), parts };
  const due = { snapshots: 7, snapshotsDue: 7, readBacksDue: 2, isChanged: false };
  return { planned, delivery: published({}), ...due, ...change };
}

function published({ receiptParts = 2 }: { receiptParts?: number }): KnownDelivery {
  const parts = [0, 1].slice(0, receiptParts).map((part) => ({
    part,
    remoteId: String(part + 1),
    permalink: null,
    publishedAt: DUE,
    removedAt: null,
    knownBy: "answered" as const,
  }));
  const receipt = { remoteId: "1", permalink: null, publishedAt: DUE, parts };
  return {
    ...base,
    state: "published",
    receipt,
    readBacks: [readBack("matches"), readBack("matches")],
  };
}

function failed(): KnownDelivery {
  const error = {
    kind: "reauthorize",
    title: "t",
    detail: "d",
    platformMessage: null,
    nextStep: "n",
  };
  return { ...base, state: "failed", error };
}

function readBack(verdict: "matches" | "differs"): KnownDelivery["readBacks"][number] {
  return { takenAt: DUE, verdict, differences: [], reason: null };
}

function attemptAt(armedAt: string): KnownDelivery["attempts"][number] {
  return { part: 0, armedAt, answeredAt: armedAt, outcome: "published", error: null };
}

const ID = "01a203c0-fc6d-7405-963d-a0581ac92e3f";
const base: KnownDelivery = {
  id: ID,
  platform: "any",
  state: "scheduled",
  dueAt: DUE,
  nextAt: null,
  receipt: null,
  error: null,
  attempts: [],
  readBacks: [],
};
