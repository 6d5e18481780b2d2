import type { Evidence } from "./judge.ts";
import type { SeenPost } from "./platforms.ts";
import type { Line } from "./script.ts";
import { wrong, type Wrong } from "./wrong.ts";

/** Of one channel's deliveries that went out at the first try, the earlier goes first. */
export function judgeOrder(
  evidence: Evidence,
  byText: ReadonlyMap<string, readonly SeenPost[]>,
): Wrong[] {
  const smooth = evidence.lines.flatMap((line) => {
    const entry = evidence.ledger.get(line.deliveryId);
    const isSmooth =
      entry?.state === "published" &&
      entry.events === 1 &&
      entry.attempts === line.planned.texts.length &&
      entry.outcomes.every((outcome) => outcome === "published") &&
      entry.receipts.every(({ knownBy }) => knownBy === "answered") &&
      !evidence.retried.has(line.deliveryId) &&
      (line.done === null || line.done.wish === "refused");
    const [first] = byText.get(line.planned.texts[0] ?? "") ?? [];
    return isSmooth && first ? [{ line, at: first.at.getTime() }] : [];
  });
  return [...groupedByChannel(smooth).values()].flatMap((own) => inOneChannel(own));
}

interface Arrival {
  readonly line: Line;
  readonly at: number;
}

function groupedByChannel(arrivals: readonly Arrival[]): Map<number, Arrival[]> {
  const groups = new Map<number, Arrival[]>();
  for (const one of arrivals) {
    groups.set(one.line.channel, [...(groups.get(one.line.channel) ?? []), one]);
  }
  return groups;
}

function inOneChannel(arrivals: readonly Arrival[]): Wrong[] {
  const planned = arrivals.toSorted((one, other) => byTime(one.line, other.line));
  let latest: Arrival | null = null;
  const wrongs: Wrong[] = [];
  for (const arrival of planned) {
    if (
      latest &&
      arrival.at < latest.at &&
      arrival.line.planned.dueAt > latest.line.planned.dueAt
    ) {
      const detail = `it came ${latest.at - arrival.at} ms before ${latest.line.number}, whose time is earlier`;
      wrongs.push(wrong("out of order", detail, arrival.line));
    }
    if (!latest || arrival.at > latest.at) latest = arrival;
  }
  return wrongs;
}

function byTime(one: Line, other: Line): number {
  return one.planned.dueAt.getTime() - other.planned.dueAt.getTime();
}
