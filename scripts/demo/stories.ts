import type { DeliveryView } from "../../shared/contract/delivery.ts";

/** What the demo wants to know about a delivery. */
export type KnownDelivery = Pick<
  DeliveryView,
  "id" | "platform" | "state" | "dueAt" | "nextAt" | "attempts" | "receipt" | "error" | "readBacks"
>;

/** A published delivery is read back after a minute and after a day. */
export const READ_BACKS = 2;

/** Whether nothing more happens to a delivery by itself. */
export function isSettled({ state, nextAt }: Pick<KnownDelivery, "state" | "nextAt">): boolean {
  if (state === "preparing" || state === "sending" || state === "scheduled") return false;
  return nextAt === null;
}

/**
 * How a settled delivery went, in half a sentence.
 * @param copies how often the platform shows it
 */
export function outcomeOf(delivery: KnownDelivery, copies: number): string {
  const { state, error, attempts, receipt } = delivery;
  if (state !== "published" || !receipt) {
    return `${state}, waits for a person: ${error?.title ?? "no reason given"}`;
  }
  const repeated = attempts.length - receipt.parts.length;
  const wasAsked = receipt.parts.some(({ knownBy }) => knownBy === "reconciled");
  const notThere = attempts.some(({ outcome }) => outcome === "not_published");
  const how = [
    ...(wasAsked ? ["the platform was asked: it was there"] : []),
    ...(notThere ? ["the platform was asked: not there, sent again"] : []),
    ...(repeated > 0 && !notThere ? [plural(repeated, "more attempt")] : []),
  ];
  const completeAt = Math.max(...receipt.parts.map(({ publishedAt }) => Date.parse(publishedAt)));
  const late = lateness(completeAt - Date.parse(delivery.dueAt));
  const times = copies === 1 ? "once" : `${copies} times`;
  return [`public ${times}, ${late}`, ...how].join("; ");
}

/** What a reading left out. */
export function readingOf(
  snapshot: Readonly<Record<string, number>>,
  metrics: readonly string[],
): string {
  const missing = metrics.filter((metric) => snapshot[metric] === undefined);
  if (missing.length === 0) return "the reading has every metric";
  return `${missing.length} of ${metrics.length} metrics are stored as not reported, which is not 0`;
}

/** Whether Postwell has seen that a post is not as it was sent. */
export function isSeenChanged({ readBacks }: Pick<KnownDelivery, "readBacks">): boolean {
  return readBacks.some(({ verdict }) => verdict === "differs" || verdict === "missing");
}

/** What was found when a delivery was read back. */
export function readBackOf({ readBacks }: Pick<KnownDelivery, "readBacks">): string {
  const found = readBacks.flatMap(({ differences }) =>
    differences.map(({ part, what }) => `${what.replace("_", " ")} of part ${part + 1}`),
  );
  if (found.length === 0) return "nothing was noticed when it was read back";
  return `noticed when it was read back: not as it was sent: ${found.join(", ")}`;
}

export function lateness(ms: number): string {
  if (ms < 1_000) return "on time";
  if (ms < 90_000) return `${Math.round(ms / 1_000)} s late`;
  return `${Math.round(ms / 60_000)} min late`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Everything that is known about a delivery that went wrong: ids and times, no texts. */
export function storyOf(delivery: KnownDelivery, seen: readonly SeenPart[]): string {
  const { id, platform, state, dueAt, nextAt, error, attempts, receipt } = delivery;
  return [
    `delivery ${id} on ${platform}: ${state}, due ${dueAt}, looked at again ${nextAt ?? "never"}`,
    ...(error ? [`  error: ${error.kind}: ${error.platformMessage ?? error.title}`] : []),
    ...attempts.map(
      ({ part, armedAt, answeredAt, outcome }) =>
        `  attempt at part ${part + 1}: armed ${armedAt}, answered ${answeredAt ?? "never"}: ${outcome ?? "unknown"}`,
    ),
    ...(receipt?.parts ?? []).map(
      ({ part, remoteId, publishedAt, knownBy }) =>
        `  receipt of part ${part + 1}: ${remoteId}, ${publishedAt}, ${knownBy}`,
    ),
    ...seen.map(
      ({ part, remoteId, at }) =>
        `  the simulator saw part ${part + 1}: ${remoteId}, ${at.toISOString()}`,
    ),
  ].join("\n");
}

export interface SeenPart {
  readonly part: number;
  readonly remoteId: string;
  readonly at: Date;
}
