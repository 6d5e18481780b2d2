import { ratioOf, ratiosOf, type Figure } from "./compare.ts";
import type { EngineName } from "./load.ts";
import { median } from "./statistics.ts";

const OURS = ["redis", "direct"] as const;
const HEADINGS = [
  "row",
  "measure",
  "bare",
  "redis",
  "direct",
  "redis/bare",
  "direct/bare",
  "bar",
  "met",
];

/** Columns for people. Medians; in brackets the ratios' range where there were several rounds. */
export function asTable(figures: readonly Figure[]): string {
  const rows = [HEADINGS, ...figures.map(cellsOf)];
  const widths = HEADINGS.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const [head = "", ...others] = lines;
  return [head, "-".repeat(widths.reduce((sum, width) => sum + width + 2, -2)), ...others].join(
    "\n",
  );
}

/** The same for programs, with every round. */
export function asJson(figures: readonly Figure[]): unknown[] {
  return figures.map((figure) => ({
    row: figure.row,
    measure: figure.measure,
    unit: figure.unit,
    values: figure.values,
    ratios: Object.fromEntries(OURS.map((engine) => [engine, ratioOf(figure, engine)])),
    bar: figure.bar?.text ?? null,
    isMet: Object.fromEntries(OURS.map((engine) => [engine, isMet(figure, engine)])),
  }));
}

/** Null where there is no bar, or nothing to hold against it. */
export function isMet(figure: Figure, engine: EngineName): boolean | null {
  const { bar } = figure;
  const number = bar?.of === "ratio" ? ratioOf(figure, engine) : middle(figure, engine);
  return bar === null || number === null ? null : bar.isMet(number);
}

function cellsOf(figure: Figure): string[] {
  return [
    figure.row,
    figure.measure,
    ...(["bare", ...OURS] as const).map((engine) => valueCell(figure, engine)),
    ...OURS.map((engine) => ratioCell(figure, engine)),
    figure.bar === null ? "" : `${figure.bar.of === "ratio" ? "ratio " : ""}${figure.bar.text}`,
    figure.bar === null ? "" : OURS.map((engine) => yesNo(isMet(figure, engine))).join(", "),
  ];
}

function valueCell(figure: Figure, engine: EngineName): string {
  const value = middle(figure, engine);
  return value === null ? "" : `${rounded(value)} ${figure.unit}`;
}

function ratioCell(figure: Figure, engine: EngineName): string {
  const ratio = ratioOf(figure, engine);
  if (ratio === null) return "";
  const all = ratiosOf(figure, engine);
  const range = `${Math.min(...all).toFixed(2)}-${Math.max(...all).toFixed(2)}`;
  return all.length > 1 ? `${ratio.toFixed(2)} (${range})` : ratio.toFixed(2);
}

function middle({ values }: Figure, engine: EngineName): number | null {
  const own = values[engine];
  return own === undefined || own.length === 0 ? null : median(own);
}

function rounded(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(3);
}

function yesNo(isMet: boolean | null): string {
  return isMet === null ? "-" : isMet ? "yes" : "no";
}
