import type { DrillChannel } from "./cast.ts";
import type { LedgerEntry } from "./ledger.ts";
import type { Stop } from "./scene.ts";
import type { SeenPost } from "./platforms.ts";
import { judgeOrder } from "./judge-order.ts";
import { judgeForbidden, judgeTimes } from "./judge-promises.ts";
import type { Form, Line } from "./script.ts";
import { wrong, type Wrong } from "./wrong.ts";

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
    const other = isReworded ? line.changed?.texts[part] : text;
    return seen.filter((post) => [text, other].includes(post.text) && !post.removed);
  });
  return parts.flatMap((posts, part) =>
    posts.length > 1
      ? [wrong("doubled", `part ${part + 1} is there ${posts.length} times`, line)]
      : [],
  );
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
  if (state === "partial" && entry.kind === null) {
    found.push(
      wrong("stuck", "a person let it go on, and it stopped again without a reason", line),
    );
  }
  if (entry.kind === "bug") found.push(wrong("other", "a fault of ours stopped it", line));
  if (entry.open > 0 && state !== "unknown") {
    found.push(wrong("ledger wrong", `${entry.open} attempts have no answer (${state})`, line));
  }
  return found;
}

function formsOf({ planned, changed }: Line): Form[] {
  return changed ? [planned, changed] : [planned];
}

function seenOf(byText: ByText, { texts }: Form): SeenPost[] {
  return texts.flatMap((text) => byText.get(text) ?? []);
}
