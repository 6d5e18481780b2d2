import { expect, test } from "@jest/globals";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { FAULT_KINDS } from "../../scripts/drill/faults.ts";
import { PROJECT_ROOT } from "../../shared/project-root.ts";

const CASES = 46;

const table = readFileSync(path.join(PROJECT_ROOT, "docs/faults.md"), "utf8");
const rows = [...table.matchAll(/^\| *(\d+) *\|([^|]*)\|(.*)\|$/gm)].map(
  ([, number = "", fault = "", proof = ""]) => ({ number: Number(number), fault, proof }),
);

/** `tests/…/some.test.ts` "its title" */
const testsIn = (proof: string) =>
  [...proof.matchAll(/`(tests\/[^`]+)` "([^"]+)"/g)].map(([, file = "", title = ""]) => ({
    file,
    title,
  }));
/** drill "some fault" */
const drillsIn = (proof: string) =>
  [...proof.matchAll(/drill "([^"]+)"/g)].map(([, name = ""]) => name);

function hasTest({ file, title }: { file: string; title: string }): boolean {
  const absolute = path.join(PROJECT_ROOT, file);
  if (!existsSync(absolute)) return false;
  const text = readFileSync(absolute, "utf8");
  return [`"${title}"`, `\`${title}\``].some((quoted) => text.includes(quoted));
}

test("the table of faults has every case once, in order", () => {
  const numbers = Array.from({ length: CASES }, (_, index) => index + 1);

  expect(rows.map(({ number }) => number)).toEqual(numbers);
});

test("every case of the table is proven by a test or a fault of the drill that there is", () => {
  const unproven = rows.filter(({ proof }) => testsIn(proof).length + drillsIn(proof).length === 0);
  const dead = rows.flatMap(({ number, proof }) => [
    ...testsIn(proof).flatMap((one) => (hasTest(one) ? [] : [{ number, ...one }])),
    ...drillsIn(proof).flatMap((name) => (name in FAULT_KINDS ? [] : [{ number, name }])),
  ]);

  expect(unproven).toEqual([]);
  expect(dead).toEqual([]);
});
