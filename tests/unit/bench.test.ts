import { expect, test } from "@jest/globals";
import { ratioOf, type Bar, type Figure } from "../../scripts/bench/compare.ts";
import { readOptions } from "../../scripts/bench/options.ts";
import { readPeak } from "../../scripts/bench/process-memory.ts";
import { readPlan } from "../../scripts/bench/query-plan.ts";
import { asJson, asTable, isMet } from "../../scripts/bench/report.ts";
import { median, percentile } from "../../scripts/bench/statistics.ts";

const half: Bar = { text: "at least 0.5", of: "ratio", isMet: (ratio) => ratio >= 0.5 };
const soon: Bar = { text: "below 1000 ms", of: "value", isMet: (ms) => ms < 1_000 };
const alike: Bar = { text: "at most 1.5", of: "ratio", isMet: (ratio) => ratio <= 1.5 };

function aFigure(values: Figure["values"], bar: Bar | null): Figure {
  return { row: "row", measure: "measure", unit: "ms", bar, values };
}

test("a ratio is the median of the rounds' own ratios", () => {
  const figure = aFigure({ bare: [100, 200, 400], redis: [50, 300, 300] }, half);

  // Of 0.5, 1.5 and 0.75. The ratio of the medians would be 1.5.
  expect(ratioOf(figure, "redis")).toBe(0.75);
  expect(ratioOf(figure, "direct")).toBeNull();
});

test("what should not depend on the amount is held against the smaller one", () => {
  const figure = aFigure({ smaller: [2, 2], ours: [3, 5] }, alike);

  expect(ratioOf(figure, "ours")).toBe(2);
  expect(isMet(figure, "ours")).toBe(false);
});

test("a bar of the value itself needs nothing beside it", () => {
  expect(isMet(aFigure({ redis: [900] }, soon), "redis")).toBe(true);
  expect(isMet(aFigure({ redis: [1_100] }, soon), "redis")).toBe(false);
  expect(isMet(aFigure({ redis: [900] }, soon), "direct")).toBeNull();
});

test("what could not be measured meets no bar", () => {
  expect(isMet(aFigure({ redis: [percentile([], 0.99)] }, soon), "redis")).toBe(false);
  expect(median([])).toBeNaN();
});

test("the report has a table beside the bare engine and one beside the smaller amount", () => {
  const table = asTable([
    aFigure({ bare: [100], redis: [40], direct: [80] }, half),
    aFigure({ smaller: [2], ours: [2.5] }, alike),
  ]);

  const [bare = "", smaller = ""] = table.split("\n\n");
  expect(bare).toMatch(/^row +measure +bare +redis +direct +redis\/bare +direct\/bare +bar +met\n/);
  expect(bare).toMatch(/0\.40 +0\.80 +ratio at least 0\.5 +no, yes$/);
  expect(smaller).toMatch(/^row +measure +smaller +ours +ours\/smaller +bar +met\n/);
  expect(smaller).toMatch(/1\.25 +ratio at most 1\.5 +yes$/);
});

test("programs are told every round, and of what was measured only", () => {
  const [figure] = asJson([aFigure({ bare: [100, 100], redis: [40, 60] }, half)]);

  expect(figure).toMatchObject({
    values: { bare: [100, 100], redis: [40, 60] },
    ratios: { redis: 0.5 },
    isMet: { redis: true },
  });
});

test("a plan names its indexes and the tables that it reads whole, however deep", () => {
  const Plan = {
    "Node Type": "Limit",
    Plans: [
      {
        "Node Type": "Nested Loop",
        Plans: [
          { "Node Type": "Seq Scan", "Relation Name": "deliveries" },
          { "Node Type": "Index Scan", "Relation Name": "posts", "Index Name": "posts_pkey" },
          { "Node Type": "Bitmap Index Scan", "Index Name": "posts_pkey" },
        ],
      },
    ],
  };

  expect(readPlan([{ Plan }])).toEqual({ indexes: ["posts_pkey"], readWhole: ["deliveries"] });
});

test("the peak of a process is read in bytes", () => {
  expect(readPeak("VmPeak:\t  900 kB\nVmHWM:\t  2 kB\nVmRSS:\t  1 kB\n")).toBe(2_048);
  expect(readPeak("Name:\tkthreadd\n")).toBeNull();
});

test("a quick run is smaller, and rows are chosen by name", () => {
  const quick = readOptions(["--quick", "--rows", "scale,start"]);
  const full = readOptions([]);

  expect(quick.rows).toEqual(["scale", "start"]);
  expect(quick.scale.larger).toBeLessThan(full.scale.larger);
  expect(full.scale).toMatchObject({ smaller: 10_000, larger: 1_000_000 });
  expect(full.isFresh).toBe(false);
  expect(() => readOptions(["--rounds", "none"])).toThrow(/npm run bench/);
});
