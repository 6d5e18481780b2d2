import type { DrillChannel } from "./cast.ts";
import type { LedgerEntry } from "./ledger.ts";
import type { Stop } from "./operate.ts";
import type { SeenPost } from "./platforms.ts";
import type { Form, Line } from "./script.ts";

/** What must not happen. */
export const WRONGS = [
  "lost",
  "doubled",
  "forbidden",
  "early",
  "out of order",
  "ledger wrong",
  "stuck",
  "leaked",
  "crashed",
  "other",
] as const;

/** One thing that must not happen, and has. */
export interface Wrong {
  readonly what: (typeof WRONGS)[number];
  readonly detail: string;
  /** The delivery concerned; null where it is none in particular. */
  readonly line: Line | null;
}

/** What a drill's end is judged by. */
export interface Evidence {
  readonly lines: readonly Line[];
  readonly channels: readonly DrillChannel[];
  readonly ledger: ReadonlyMap<string, LedgerEntry>;
  readonly posts: readonly SeenPost[];
  readonly stops: readonly Stop[];
  /** Deliveries to which a person gave a new time. */
  readonly retried: ReadonlyMap<string, string>;
}

/** Holds what the platforms have seen against what the ledger says and the API promised. */
export function judge(evidence: Evidence): Wrong[] {
  const byText = new Map<string, SeenPost[]>();
  for (const post of evidence.posts)
    byText.set(post.text, [...(byText.get(post.text) ?? []), post]);
  const wrongs = evidence.lines.flatMap((line) => judgeLine(evidence, byText, line));
  const known = new Set(
    evidence.lines.flatMap((line) => formsOf(line).flatMap(({ texts }) => texts)),
  );
  const foreign = evidence.posts.filter(({ text }) => !known.has(text));
  return [
    ...wrongs,
    ...foreign.map(({ platform, remoteId }) =>
      wrong("forbidden", `${platform} has a post that nobody wrote: ${remoteId}`, null),
    ),
    ...judgeOrder(evidence, byText),
  ];
}

type ByText = ReadonlyMap<string, readonly SeenPost[]>;

function judgeLine(evidence: Evidence, byText: ByText, line: Line): Wrong[] {
  const { done } = line;
  const entry = evidence.ledger.get(line.deliveryId);
  if (!entry) return judgeMissing(byText, line);
  const old = seenOf(byText, line.planned);
  const fresh = line.changed ? seenOf(byText, line.changed) : [];
  const isReworded = done?.kind === "edit";
  const all = isReworded ? [...old, ...fresh] : old;
  return [
    ...judgePlace(evidence, line, all),
    ...judgeDoubles(line, all, isReworded),
    ...judgeForbidden(line, { old, fresh, entry }),
    ...judgeTimes(evidence, line, all),
    ...judgeEntry(line, entry, all),
  ];
}

/** A creation that the API did not acknowledge need not exist. */
function judgeMissing(byText: ByText, line: Line): Wrong[] {
  const seen = seenOf(byText, line.planned);
  const isOwed = line.done === null || line.done.wish === "done";
  if (isOwed) return [wrong("lost", "it is in no table, although it was acknowledged", line)];
  return line.done?.wish === "refused" && seen.length > 0
    ? [wrong("forbidden", "it was refused, and went out", line)]
    : [];
}

function judgePlace({ channels }: Evidence, line: Line, seen: readonly SeenPost[]): Wrong[] {
  const own = channels[line.channel];
  return seen
    .filter(({ platform, account }) => platform !== own?.platform || account !== own.account)
    .map(({ platform, account }) =>
      wrong("forbidden", `it is on ${platform} ${account}, where it does not belong`, line),
    );
}

function judgeDoubles(line: Line, seen: readonly SeenPost[], isReworded: boolean): Wrong[] {
  const parts = line.planned.texts.map((text, part) => {
    const either = [text, isReworded ? line.changed?.texts[part] : undefined];
    return seen.filter((post) => either.includes(post.text) && !post.removed);
  });
  return parts.flatMap((posts, part) =>
    posts.length > 1
      ? [wrong("doubled", `part ${part + 1} is there ${posts.length} times`, line)]
      : [],
  );
}

function judgeForbidden(
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

function judgeTimes({ stops, retried }: Evidence, line: Line, seen: readonly SeenPost[]): Wrong[] {
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

/** Whether the state and the receipts say what is the case. */
function judgeEntry(line: Line, entry: LedgerEntry, seen: readonly SeenPost[]): Wrong[] {
  const parts = line.planned.texts.length;
  const isOut = (remoteId: string) => seen.some((post) => post.remoteId === remoteId);
  const unproven = seen.filter(
    (post) => !entry.receipts.some(({ remoteId }) => remoteId === post.remoteId),
  );
  const { state } = entry;
  const found: Wrong[] = [];
  if (state === "published" && seen.length < parts) {
    found.push(
      wrong("lost", `it counts as published, but ${seen.length} of ${parts} are out`, line),
    );
  }
  if (state === "published" && entry.receipts.length !== parts) {
    found.push(wrong("ledger wrong", `${entry.receipts.length} receipts for ${parts} parts`, line));
  }
  if (entry.receipts.some(({ remoteId }) => !isOut(remoteId))) {
    found.push(wrong("ledger wrong", "a receipt names a post that is not there", line));
  }
  if (unproven.length > 0) {
    found.push(wrong("ledger wrong", `it is out, and counts as ${state} (${entry.kind})`, line));
  }
  if (["scheduled", "preparing", "sending", "unknown"].includes(state)) {
    found.push(wrong("lost", `it still is ${state} at the end`, line));
  }
  if (entry.kind === "bug") found.push(wrong("other", "a fault of ours stopped it", line));
  if (entry.open > 0 && state !== "unknown") {
    found.push(wrong("ledger wrong", `${entry.open} attempts have no answer (${state})`, line));
  }
  return found;
}

/** Of one channel's deliveries that went out at the first try, the earlier goes first. */
function judgeOrder(evidence: Evidence, byText: ByText): Wrong[] {
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

function formsOf({ planned, changed }: Line): Form[] {
  return changed ? [planned, changed] : [planned];
}

function seenOf(byText: ByText, { texts }: Form): SeenPost[] {
  return texts.flatMap((text) => byText.get(text) ?? []);
}

export function wrong(what: Wrong["what"], detail: string, line: Line | null): Wrong {
  return { what, detail, line };
}
