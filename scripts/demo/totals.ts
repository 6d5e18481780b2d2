import type { CheckedDelivery, Finding } from "./audit.ts";
import { isSeenChanged } from "./stories.ts";

/** One channel in numbers, or all of them. */
export interface Totals {
  readonly planned: number;
  readonly published: number;
  readonly failed: number;
  readonly missed: number;
  readonly unknown: number;
  /** Other states in which a person is asked: threads of which a part is out. */
  readonly partial: number;
  readonly duplicates: number;
  readonly lost: number;
  readonly attempts: number;
  /** From the planned minute to the first attempt; null where there was none. */
  readonly lateP50Ms: number | null;
  readonly lateP99Ms: number | null;
  readonly snapshots: number;
  readonly readBacks: number;
  /** Published, but found not to be as they were sent. */
  readonly changed: number;
}

/** @param isTroubled whether a trouble held a delivery up on purpose: it does not count for lateness */
export function totalsOf(
  all: readonly CheckedDelivery[],
  findings: readonly Finding[],
  isTroubled: (checked: CheckedDelivery) => boolean,
): Totals {
  const inState = (state: string) => all.filter(({ delivery }) => delivery?.state === state).length;
  const found = (...kinds: Finding["kind"][]) =>
    findings.filter(({ kind }) => kinds.includes(kind)).length;
  const late = all.filter((checked) => !isTroubled(checked)).flatMap(latenessOf);
  return {
    planned: all.length,
    published: inState("published"),
    failed: inState("failed"),
    missed: inState("missed"),
    unknown: inState("unknown"),
    partial: inState("partial"),
    duplicates: found("doubled"),
    lost: found("lost", "stuck", "not_imported"),
    attempts: sum(all, ({ delivery }) => delivery?.attempts.length ?? 0),
    lateP50Ms: percentile(late, 50),
    lateP99Ms: percentile(late, 99),
    snapshots: sum(all, ({ snapshots }) => snapshots),
    readBacks: sum(all, ({ delivery }) => delivery?.readBacks.length ?? 0),
    changed: all.filter(({ delivery }) => delivery && isSeenChanged(delivery)).length,
  };
}

/** The smallest value that so many percent do not exceed; null for none. */
export function percentile(values: readonly number[], percent: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? null;
}

function latenessOf({ delivery }: CheckedDelivery): number[] {
  const [first] = delivery?.attempts ?? [];
  return delivery && first ? [Date.parse(first.armedAt) - Date.parse(delivery.dueAt)] : [];
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
