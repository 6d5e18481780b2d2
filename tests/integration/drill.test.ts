import { describe, expect, test } from "@jest/globals";
import type { DrillOptions } from "../../scripts/drill/options.ts";
import { runDrill } from "../../scripts/drill/run-drill.ts";

/** Small enough for every run of the tests; `npm run drill` is the large one. */
const SMALL = {
  deliveries: 300,
  channels: 8,
  seed: 3,
  seconds: 8,
  settleSeconds: 120,
  keep: false,
} as const;

const TIMEOUT_MS = 240_000;

describe("a drill, direct", () => {
  test(
    "loses, doubles and leaks nothing while everything fails",
    () => holds("direct"),
    TIMEOUT_MS,
  );
});

const withRedis = process.env.POSTWELL_TEST_REDIS_URL === undefined ? describe.skip : describe;
withRedis("a drill, through Redis", () => {
  test("loses, doubles and leaks nothing while everything fails", () => holds("redis"), TIMEOUT_MS);
});

async function holds(queue: DrillOptions["queue"]): Promise<void> {
  const story: string[] = [];

  const verdict = await runDrill({ ...SMALL, queue }, new AbortController().signal, (line) => {
    story.push(line);
  });

  // The story in the failure's message is all that is left of a failed drill.
  const what = verdict.wrongs.length === 0 ? "" : [...story, verdict.report].join("\n");
  expect(what).toBe("");
}
