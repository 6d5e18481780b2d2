import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { judge, type Evidence } from "../../scripts/drill/judge.ts";
import type { LedgerEntry } from "../../scripts/drill/ledger.ts";
import type { DrillOptions } from "../../scripts/drill/options.ts";
import { planFaults } from "../../scripts/drill/faults.ts";
import { planDrill } from "../../scripts/drill/plan.ts";
import type { SeenPost } from "../../scripts/drill/platforms.ts";
import { runDrill } from "../../scripts/drill/run-drill.ts";
import type { Done, Line } from "../../scripts/drill/script.ts";
import { describeWithRedis } from "../support/queue-modes.ts";

/** Small enough for every run of the tests; `npm run drill` is the large one. */
const SMALL = {
  deliveries: 240,
  channels: 8,
  seed: 14,
  seconds: 6,
  settleSeconds: 150,
  keep: false,
} as const;

const TIMEOUT_MS = 240_000;
const TITLE = "loses, doubles, forges and leaks nothing while everything fails";

let stop = new AbortController();
let running: Promise<unknown> = Promise.resolve();
beforeEach(() => {
  stop = new AbortController();
});
// A test that ran out of time must not leave servers behind.
afterEach(async () => {
  stop.abort();
  await running.catch(() => undefined);
});

async function holds(queue: DrillOptions["queue"]): Promise<void> {
  const story: string[] = [];
  const drill = runDrill({ ...SMALL, queue }, stop.signal, (line) => void story.push(line));
  running = drill;

  const { wrongs, report } = await drill;

  // All that is left of a drill that failed is what the message says.
  expect(wrongs.length === 0 ? "" : [...story, report].join("\n")).toBe("");
  expect(report).toMatch(/known by .*answered [1-9]/);
}

describe("a drill, direct", () => {
  test(TITLE, () => holds("direct"), TIMEOUT_MS);
});

describeWithRedis("a drill, through Redis", () => {
  test(TITLE, () => holds("redis"), TIMEOUT_MS);
});

describe("the plan of a drill", () => {
  const options: DrillOptions = { ...SMALL, queue: "redis" };
  const limits = Array.from({ length: 8 }, () => Infinity);

  test("is the same for the same seed", () => {
    expect(planDrill(options, limits)).toEqual(planDrill(options, limits));
    expect(planFaults(options)).toEqual(planFaults(options));
  });

  test("is another one for another seed", () => {
    const other = { ...options, seed: 4 };

    expect(planDrill(other, limits)).not.toEqual(planDrill(options, limits));
    expect(planFaults(other)).not.toEqual(planFaults(options));
  });

  test("asks no more of a channel than its platform allows", () => {
    const { deliveries, operations } = planDrill(options, [20, 10, ...limits]);
    const created = operations.flatMap(({ kind, delivery }) =>
      kind === "create" ? [delivery] : [],
    );
    const on = (channel: number) =>
      [...deliveries, ...created].filter((delivery) => delivery.channel === channel).length;

    expect([on(0), on(1)]).toEqual([20, 10]);
    expect(() => planDrill(options, [20, 10])).toThrow("limits");
  });

  test("spares Redis where there is none", () => {
    const kinds = planFaults({ ...options, queue: "direct", seconds: 300 }).map(({ kind }) => kind);

    expect(kinds.filter((kind) => /redis|promoter/.test(kind))).toEqual([]);
  });
});

const dueAt = new Date("2027-02-05T15:00:00Z");
const later = (ms: number) => new Date(dueAt.getTime() + ms);

function aLine(change: Partial<Line> = {}): Line {
  const planned = { texts: ["Know your numbers."], dueAt };
  const ids = { number: 1, channel: 0, postId: "post", deliveryId: "delivery" };
  return { ...ids, hasImage: false, planned, changed: null, done: null, ...change };
}

function anEntry(change: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    id: "delivery",
    state: "published",
    kind: null,
    dueAt,
    nextAt: null,
    tries: 0,
    attempts: 1,
    open: 0,
    outcomes: ["published"],
    firstArmedAt: dueAt,
    receipts: [{ part: 0, remoteId: "1", knownBy: "answered" }],
    events: 1,
    ...change,
  };
}

function aPost(change: Partial<SeenPost> = {}): SeenPost {
  const where = { platform: "a", account: "heart", remoteId: "1", parent: null, altTexts: [] };
  return { ...where, text: "Know your numbers.", at: later(5), removed: false, ...change };
}

function aDone(kind: Done["kind"], wish: Done["wish"]): Done {
  return { kind, wish, sentAt: 0, answeredAt: 0, status: 200, code: "" };
}

function judged(change: Partial<Omit<Evidence, "ledger">> & { ledger?: LedgerEntry[] }): string[] {
  const { ledger = [anEntry()], ...rest } = change;
  return judge({
    lines: [aLine()],
    channels: [{ id: "channel", platform: "a", account: "heart" }],
    posts: [aPost()],
    stops: [],
    retried: new Map(),
    ...rest,
    ledger: new Map(ledger.map((entry) => [entry.id, entry])),
  }).map(({ what }) => what);
}

describe("the judge of a drill", () => {
  test("has nothing to say about a post that is out once and proven", () => {
    expect(judged({})).toEqual([]);
  });

  test("misses what counts as published and is not there", () => {
    expect(judged({ posts: [] })).toContain("lost");
  });

  test("misses what was acknowledged and is in no table", () => {
    expect(judged({ ledger: [], posts: [] })).toEqual(["lost"]);
  });

  test("finds a second post", () => {
    expect(judged({ posts: [aPost(), aPost({ remoteId: "2" })] })).toContain("doubled");
  });

  test("finds a post before its time", () => {
    expect(judged({ posts: [aPost({ at: later(-1) })] })).toEqual(["early"]);
  });

  test("finds a post that was cancelled", () => {
    const lines = [aLine({ done: aDone("cancel", "done") })];

    expect(judged({ lines })).toContain("forbidden");
  });

  test("accepts either outcome of a cancel whose answer was lost", () => {
    const lines = [aLine({ done: aDone("cancel", "perhaps") })];

    expect(judged({ lines })).toEqual([]);
    expect(
      judged({
        lines,
        posts: [],
        ledger: [anEntry({ state: "cancelled", receipts: [], outcomes: [], attempts: 0 })],
      }),
    ).toEqual([]);
  });

  test("finds the old words of an edited post, and both together", () => {
    const changed = { texts: ["Take a walk."], dueAt };
    const edited = aLine({ changed, done: aDone("edit", "done") });
    const either = aLine({ changed, done: aDone("edit", "perhaps") });
    const both = [aPost(), aPost({ remoteId: "2", text: "Take a walk." })];

    expect(judged({ lines: [edited] })).toEqual(["forbidden"]);
    expect(judged({ lines: [either] })).toEqual([]);
    expect(judged({ lines: [either], posts: both })).toContain("doubled");
  });

  test("finds a moved post before its new time", () => {
    const changed = { texts: ["Know your numbers."], dueAt: later(5_000) };
    const lines = [aLine({ changed, done: aDone("move", "done") })];

    expect(judged({ lines })).toEqual(["forbidden"]);
  });

  test("finds a post during a hold and after it, unless it was named or released", () => {
    const during = { answeredAt: dueAt.getTime(), endedAt: later(10).getTime(), answer: "{}" };
    const stopped = { channel: 0, ...during };
    const after = [aPost({ at: later(20) })];

    expect(judged({ stops: [stopped] })).toEqual(["forbidden"]);
    expect(judged({ stops: [stopped], posts: after })).toEqual(["forbidden"]);
    expect(judged({ stops: [{ ...stopped, answer: '"delivery"' }] })).toEqual([]);
    const retried = new Map([["delivery", "held"]]);
    expect(judged({ stops: [stopped], posts: after, retried })).toEqual([]);
  });

  test("finds a post that nobody wrote, and one on another channel", () => {
    const foreign = aPost({ remoteId: "2", text: "Buy now." });

    expect(judged({ posts: [aPost(), foreign] })).toEqual(["forbidden"]);
    expect(judged({ posts: [aPost({ account: "lungs" })] })).toEqual(["forbidden"]);
  });

  test("finds a state and a receipt that are not true", () => {
    const failed = anEntry({ state: "failed", kind: "duplicate", receipts: [] });
    const invented = anEntry({ receipts: [{ part: 0, remoteId: "9", knownBy: "answered" }] });

    expect(judged({ ledger: [failed] })).toEqual(["ledger wrong"]);
    expect(judged({ ledger: [invented] })).toContain("ledger wrong");
    expect(judged({ ledger: [anEntry({ open: 1 })] })).toEqual(["ledger wrong"]);
  });

  test("finds what went out before an earlier one of its channel", () => {
    const second = aLine({
      number: 2,
      deliveryId: "second",
      planned: { texts: ["Take a walk."], dueAt: later(100) },
    });
    const receipts = [{ part: 0, remoteId: "2", knownBy: "answered" }];
    const posts = [
      aPost({ at: later(300) }),
      aPost({ remoteId: "2", text: "Take a walk.", at: later(200) }),
    ];
    const ledger = [anEntry(), anEntry({ id: "second", receipts })];

    expect(judged({ lines: [aLine(), second], ledger, posts })).toEqual(["out of order"]);
  });
});
