import type { CheckedDelivery, Finding } from "./audit.ts";
import type { Paint } from "./screen.ts";
import { storyOf, type SeenPart } from "./stories.ts";
import type { Totals } from "./totals.ts";

/** A column of the closing table. */
export interface Column {
  readonly title: string;
  readonly totals: Totals;
}

const ROWS: readonly (readonly [string, (totals: Totals) => string])[] = [
  ["planned", ({ planned }) => String(planned)],
  ["published", ({ published }) => String(published)],
  ["failed *", ({ failed }) => String(failed)],
  ["partly out *", ({ partial }) => String(partial)],
  ["missed *", ({ missed }) => String(missed)],
  ["unknown *", ({ unknown }) => String(unknown)],
  ["duplicates seen", ({ duplicates }) => String(duplicates)],
  ["lost", ({ lost }) => String(lost)],
  ["attempts", ({ attempts }) => String(attempts)],
  ["late p50", ({ lateP50Ms }) => milliseconds(lateP50Ms)],
  ["late p99", ({ lateP99Ms }) => milliseconds(lateP99Ms)],
  ["snapshots", ({ snapshots }) => String(snapshots)],
  ["read-backs", ({ readBacks }) => String(readBacks)],
  ["found changed", ({ changed }) => String(changed)],
];

const COLUMN_WIDTH = 10;
const LABEL_WIDTH = Math.max(...ROWS.map(([label]) => label.length)) + 2;

/** The closing table: a row a measure, a column a channel. */
export function tableOf(columns: readonly Column[], paint: Paint): string {
  const line = (label: string, cells: readonly string[]) =>
    `  ${label.padEnd(LABEL_WIDTH)}${cells.map((cell) => cell.padStart(COLUMN_WIDTH)).join("")}`;
  const rule = `  ${"─".repeat(LABEL_WIDTH + COLUMN_WIDTH * columns.length)}`;
  return [
    paint.bold(
      line(
        "deliveries",
        columns.map(({ title }) => title),
      ),
    ),
    paint.dim(rule),
    ...ROWS.map(([label, cell]) =>
      line(
        label,
        columns.map(({ totals }) => cell(totals)),
      ),
    ),
  ].join("\n");
}

/** The deliveries that wait for a person, with what that person needs to know. */
export function waitingList(waiting: readonly CheckedDelivery[], paint: Paint): string {
  return waiting
    .map(({ planned, delivery }) => {
      const { kind, title, detail, platformMessage, nextStep } = delivery?.error ?? NOTHING;
      const head = paint.bold(`${planned.channel}, ${planned.post}`);
      return [
        `  ${head}: ${delivery?.state ?? ""}, ${kind}`,
        `      ${title}.`,
        // One sentence a line: what was waited for is among them.
        ...detail.split(/(?<=\.) /).map((sentence) => `      ${sentence}`),
        ...(platformMessage === null ? [] : [`      The platform said: “${platformMessage}”`]),
        `      Next step: ${nextStep}`,
      ].join("\n");
    })
    .join("\n");
}

const NOTHING = { kind: "", title: "", detail: "", platformMessage: null, nextStep: "" };

/** More would say the same again. */
const MAX_FINDINGS = 10;

/** What went wrong, each with the story of its delivery. */
export function findingsText(
  findings: readonly Finding[],
  seenPartsOf: (checked: CheckedDelivery) => readonly SeenPart[],
): string {
  const more = findings.length - MAX_FINDINGS;
  const lines = findings.slice(0, MAX_FINDINGS).map(({ kind, about, channel, says }) => {
    const name = about ? `${about.planned.post} on ${channel}` : channel;
    const head = `  ${kind.replaceAll("_", " ")}: ${name}: ${says}`;
    if (!about?.delivery) return head;
    const story = storyOf(about.delivery, seenPartsOf(about));
    return `${head}\n    ${story.replaceAll("\n", "\n    ")}`;
  });
  return [...lines, ...(more > 0 ? [`  and ${more} more`] : [])].join("\n");
}

function milliseconds(ms: number | null): string {
  return ms === null ? "–" : `${ms} ms`;
}
