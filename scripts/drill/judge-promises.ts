import type { Evidence } from "./judge.ts";
import type { LedgerEntry } from "./ledger.ts";
import type { Stop } from "./scene.ts";
import type { SeenPost } from "./platforms.ts";
import type { Line } from "./script.ts";
import { wrong, type Wrong } from "./wrong.ts";

/** What an operation that was answered forbids. */
export function judgeForbidden(
  line: Line,
  {
    old,
    fresh,
    entry,
  }: { old: readonly SeenPost[]; fresh: readonly SeenPost[]; entry: LedgerEntry },
): Wrong[] {
  const { done } = line;
  if (!done || done.kind === "create") return [];
  const said = `${done.kind} was answered ${done.status} ${done.code}`.trim();
  if (done.wish === "done" && done.kind === "edit" && old.length > 0) {
    return [wrong("forbidden", `${said}, and the old text went out`, line)];
  }
  if (done.wish === "done" && done.kind === "cancel" && old.length > 0) {
    return [wrong("forbidden", `${said}, and it went out`, line)];
  }
  if (done.wish === "refused" && done.kind === "edit" && fresh.length > 0) {
    return [wrong("forbidden", `${said}, and the new text went out`, line)];
  }
  if (done.wish === "refused" && entry.state === "cancelled") {
    return [wrong("lost", `${said}, and it was cancelled`, line)];
  }
  return [];
}

/** Nothing comes before its time, nor while its channel is held. */
export function judgeTimes(
  { stops, retried }: Evidence,
  line: Line,
  seen: readonly SeenPost[],
): Wrong[] {
  const dueAt = dueOf(line);
  const early = seen.filter(({ at }) => at < dueAt);
  const held = seen.filter(({ at }) => stops.some((stop) => isHeld(stop, line, at)));
  const unasked = retried.has(line.deliveryId)
    ? []
    : seen.filter(({ at }) => stops.some((stop) => isReleased(stop, line, at)));
  const isMoved = line.done?.kind === "move" && !retried.has(line.deliveryId);
  const name = isMoved && line.done?.wish === "done" ? "forbidden" : "early";
  return [
    ...early.map(({ at }) =>
      wrong(name, `it came ${dueAt.getTime() - at.getTime()} ms before its time`, line),
    ),
    ...held.map(({ at }) => wrong("forbidden", `it came during a hold, ${at.toISOString()}`, line)),
    ...unasked.map(() => wrong("forbidden", "it came after a hold without a person", line)),
  ];
}

function isHeld(stop: Stop, line: Line, at: Date): boolean {
  const isDuring = at.getTime() > stop.answeredAt && at.getTime() < stop.endedAt;
  return stop.channel === line.channel && isDuring && !stop.answer.includes(line.deliveryId);
}

/** Its time lay within the hold, so that only a person may let it go. */
function isReleased(stop: Stop, line: Line, at: Date): boolean {
  const wasStopped = dueOf(line).getTime() < stop.endedAt && at.getTime() >= stop.endedAt;
  return stop.channel === line.channel && wasStopped && !stop.answer.includes(line.deliveryId);
}

/** The earliest time at which it may be out. */
function dueOf({ planned, changed, done }: Line): Date {
  if (!changed || done?.kind !== "move" || done.wish === "refused") return planned.dueAt;
  const both = [planned.dueAt, changed.dueAt].toSorted((a, b) => a.getTime() - b.getTime());
  return (done.wish === "done" ? changed.dueAt : both[0]) ?? planned.dueAt;
}
