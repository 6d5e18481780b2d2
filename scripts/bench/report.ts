import { ratioOf, ratiosOf, type Column, type Figure } from "./compare.ts";
import { median } from "./statistics.ts";

const OURS = ["redis", "direct", "ours"] as const;
type Ours = (typeof OURS)[number];

/**
 * Columns for people: one table beside the bare engine, and one beside the smaller amount. Medians; in brackets the ratios' range where
 * there were several rounds.
 */
export function asTable(figures: readonly Figure[]): string {
  const beside = (reference: "bare" | "smaller") =>
    figures.filter(({ values }) => (values.smaller !== undefined) === (reference === "smaller"));
  return (["bare", "smaller"] as const)
    .filter((reference) => beside(reference).length > 0)
    .map((reference) => tableOf(reference, beside(reference)))
    .join("\n\n");
}

function tableOf(reference: "bare" | "smaller", figures: readonly Figure[]): string {
  const own = OURS.filter((column) => figures.some(({ values }) => values[column] !== undefined));
  const ratios = own.map((column) => `${column}/${reference}`);
  const headings = ["row", "measure", reference, ...own, ...ratios, "bar", "met"];
  const rows = [headings, ...figures.map((figure) => cellsOf(figure, reference, own))];
  const widths = headings.map((_, column) =>
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
    ratios: Object.fromEntries(measured(figure).map((own) => [own, ratioOf(figure, own)])),
    bar: figure.bar?.text ?? null,
    isMet: Object.fromEntries(measured(figure).map((own) => [own, isMet(figure, own)])),
  }));
}

/** Null where there is no bar, or nothing to hold against it. */
export function isMet(figure: Figure, column: Column): boolean | null {
  const { bar } = figure;
  const number = bar?.of === "ratio" ? ratioOf(figure, column) : middle(figure, column);
  return bar === null || number === null ? null : bar.isMet(number);
}

function measured({ values }: Figure): Ours[] {
  return OURS.filter((column) => values[column] !== undefined);
}

function cellsOf(
  figure: Figure,
  reference: "bare" | "smaller",
  own: readonly Ours[],
): readonly string[] {
  return [
    figure.row,
    figure.measure,
    ...[reference, ...own].map((column) => valueCell(figure, column)),
    ...own.map((column) => ratioCell(figure, column)),
    figure.bar === null ? "" : `${figure.bar.of === "ratio" ? "ratio " : ""}${figure.bar.text}`,
    figure.bar === null
      ? ""
      : measured(figure)
          .map((column) => yesNo(isMet(figure, column)))
          .join(", "),
  ];
}

function valueCell(figure: Figure, column: Column): string {
  const value = middle(figure, column);
  return value === null ? "" : `${rounded(value)} ${figure.unit}`.trimEnd();
}

function ratioCell(figure: Figure, column: Column): string {
  const ratio = ratioOf(figure, column);
  if (ratio === null) return "";
  const all = ratiosOf(figure, column);
  const range = `${Math.min(...all).toFixed(2)}-${Math.max(...all).toFixed(2)}`;
  return all.length > 1 ? `${ratio.toFixed(2)} (${range})` : ratio.toFixed(2);
}

function middle({ values }: Figure, column: Column): number | null {
  const own = values[column];
  return own === undefined || own.length === 0 ? null : median(own);
}

function rounded(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(3);
}

function yesNo(isMet: boolean | null): string {
  return isMet === null ? "-" : isMet ? "yes" : "no";
}
