import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import * as z from "zod";
import { createMetrics } from "../../api/metrics/metrics.ts";
import { PROJECT_ROOT } from "../../shared/project-root.ts";
import { describeWork } from "../../worker/metrics/describe-work.ts";
import { createMeters } from "../../worker/metrics/meters.ts";
import { createTestContext, type TestContext } from "../support/context.ts";

const Rule = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.object({ severity: z.enum(["page", "ticket"]) }),
  annotations: z.object({ summary: z.string() }),
});
const Rules = z.strictObject({
  groups: z.array(z.strictObject({ name: z.string(), rules: z.array(Rule).min(1) })),
});

const read = (file: string) => readFileSync(path.join(PROJECT_ROOT, "docs", file), "utf8");
const guide = read("operations.md");
const rules = Rules.parse(parse(read("prometheus-rules.yml"))).groups.flatMap(
  (group) => group.rules,
);

let stack: TestContext;
let metrics: readonly string[] = [];

beforeAll(async () => {
  stack = await createTestContext({ POSTWELL_QUEUE: "direct" });
  const queue = { depths: () => Promise.resolve([]), silentLanes: () => Promise.resolve([]) };
  const meters = createMeters();
  describeWork(meters, {
    leases: { held: () => 0, run: () => Promise.resolve(), stop: () => Promise.resolve() },
    lanes: [],
    queue: {
      isHealthy: () => true,
      ignoredHints: () => 0,
      add: () => Promise.resolve(),
      pause: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
    isQueueHealthy: () => true,
  });
  const pages = [await createMetrics(stack.context, queue).read(), await meters.register.metrics()];
  metrics = pages.flatMap((page) => [...page.matchAll(/^# TYPE (postwell_\w+)/gm)].map(named));
});
afterAll(async () => {
  await stack.close();
});

const named = ([, name = ""]: RegExpMatchArray): string => name;
const namesIn = (text: string) => [...text.matchAll(/(postwell_\w+)/g)].map(named);
/** Of a histogram, Prometheus has several series. */
const family = (name: string) =>
  metrics.includes(name) ? name : name.replace(/_(bucket|count|sum)$/, "");

test("every rule asks for metrics that exist", () => {
  const missing = rules.flatMap(({ alert, expr }) => {
    const names = namesIn(expr);
    return names.length === 0 ? [alert] : names.filter((name) => !metrics.includes(family(name)));
  });

  expect(metrics.length).toBeGreaterThan(20);
  expect(missing).toEqual([]);
});

test("the guide explains every metric, and none that does not exist", () => {
  const explained = new Set(namesIn(guide));

  expect(metrics.filter((name) => !explained.has(name))).toEqual([]);
  expect([...explained].filter((name) => !metrics.includes(name))).toEqual([]);
});

test("the guide says what to do in every alarm, and knows no others", () => {
  const explained = new Set([...guide.matchAll(/`(Postwell[A-Z]\w+)`/g)].map(named));

  expect([...explained].toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
});
