import type { LedgerEntry } from "./ledger.ts";
import { WRONGS, type Wrong } from "./wrong.ts";
import type { DrillOptions } from "./options.ts";
import type { PersonWork } from "./person.ts";
import type { Line } from "./script.ts";
import type { Strikes } from "./strikes.ts";
import type { SeenPost } from "./platforms.ts";

/** All that a drill's end is told with. */
export interface DrillResult {
  readonly options: DrillOptions;
  readonly lines: readonly Line[];
  readonly ledger: readonly LedgerEntry[];
  readonly posts: readonly SeenPost[];
  readonly person: PersonWork;
  readonly strikes: Strikes;
  readonly wrongs: readonly Wrong[];
  /** From the start until everything was settled; null where it was not in time. */
  readonly settledMs: number | null;
  readonly holds: number;
}

/** The closing table. */
export function closingTable(result: DrillResult): string {
  const { options, lines, ledger, posts, wrongs, settledMs } = result;
  const { deliveries, channels, queue, seed, seconds } = options;
  const settled = settledMs === null ? "not in time" : `${(settledMs / 1_000).toFixed(1)} s`;
  const rows: [string, string][] = [
    ["drill", `${deliveries} deliveries, ${channels} channels, ${queue}, seed ${seed}`],
    ["fell due over", `${seconds} s; all settled after ${settled}`],
    ["ended as", counted(ledger.map(({ state }) => state))],
    ["public posts", String(posts.filter(({ removed }) => !removed).length)],
    [
      "asked of the API",
      counted(
        lines.flatMap(({ done }) =>
          done ? [`${done.kind} ${done.wish} ${done.status} ${done.code}`.trim()] : [],
        ),
      ),
    ],
    ["holds", String(result.holds)],
    ["attempts", counted(ledger.flatMap(({ outcomes }) => outcomes).map((each) => each || "open"))],
    ["known by", counted(ledger.flatMap(({ receipts }) => receipts.map(({ knownBy }) => knownBy)))],
    ["late by", latenessOf(result)],
    ["a person", personOf(result.person)],
    ["left for people", leftOf(ledger)],
    ["faults", [...result.strikes.counts].map(([kind, count]) => `${kind} ${count}`).join(", ")],
    ...WRONGS.map((what): [string, string] => [
      what,
      String(wrongs.filter((wrong) => wrong.what === what).length),
    ]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}

/** Of those that nobody touched, at the platform. */
function latenessOf({ lines, posts }: DrillResult): string {
  const arrivals = new Map(posts.map(({ text, at }) => [text, at.getTime()]));
  const late = lines
    .filter(({ done }) => done === null)
    .flatMap(({ planned }) => {
      const at = arrivals.get(planned.texts[0] ?? "");
      return at === undefined ? [] : [at - planned.dueAt.getTime()];
    })
    .toSorted((one, other) => one - other);
  const at = (share: number) => late[Math.ceil(share * late.length) - 1] ?? 0;
  return `p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms, at most ${at(1)} ms`;
}

/** Where the person has done what can be done. */
function leftOf(ledger: readonly LedgerEntry[]): string {
  const left = ledger.filter(({ state }) => !["published", "cancelled", "removed"].includes(state));
  return counted(left.map(({ state, kind }) => `${state} (${kind})`));
}

function personOf({ retried, resolved, reconnected, givenUp }: PersonWork): string {
  return [
    `retried ${retried.size} (${counted([...retried.values()])})`,
    `settled ${resolved.size} (${counted([...resolved.values()])})`,
    `signed in again ${reconnected.length}`,
    `gave up ${givenUp.size}`,
  ].join(", ");
}

function counted(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const sorted = [...counts].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return sorted.map(([name, count]) => `${name} ${count}`).join(", ") || "none";
}
