import type { SimulatedPost } from "../../shared/connectors/simulator.ts";
import type { PlannedDelivery, PlannedPart } from "./plan.ts";
import { isSeenChanged, isSettled, type KnownDelivery } from "./stories.ts";

/** One planned delivery beside what the API says about it. */
export interface CheckedDelivery {
  readonly planned: PlannedDelivery;
  /** Null where the import made none. */
  readonly delivery: KnownDelivery | null;
  readonly snapshots: number;
  /** Readings that a published delivery must have by now; 0 where the platform reports nothing. */
  readonly snapshotsDue: number;
  /** Times that it must have been read back by now. */
  readonly readBacksDue: number;
  /** A scene has changed what the platform shows. */
  readonly isChanged: boolean;
}

export type FindingKind =
  | "not_imported"
  | "wrong_time"
  | "lost"
  | "doubled"
  | "unrecorded"
  | "differs"
  | "stuck"
  | "snapshot_missing"
  | "read_back_missing"
  | "read_back_wrong"
  | "unplanned";

/** Something that must not be. */
export interface Finding {
  readonly kind: FindingKind;
  /** Null for a public post that nobody planned. */
  readonly about: CheckedDelivery | null;
  readonly channel: string;
  readonly says: string;
}

/**
 * Holds plan, API and platforms against each other: every published part is public exactly once and exactly as planned,
 * nothing else is public, and nothing waits without a person who was told.
 * @param seen what each channel's platform has seen, by the channel's name
 */
export function audit(
  all: readonly CheckedDelivery[],
  seen: ReadonlyMap<string, readonly SimulatedPost[]>,
): Finding[] {
  const claimed = new Set<SimulatedPost>();
  const findings = all.flatMap((checked) => auditOne(checked, seen, claimed));
  for (const [channel, posts] of seen) {
    const own = all.filter(({ planned }) => planned.channel === channel);
    for (const post of posts) if (!claimed.has(post)) findings.push(surplus(channel, post, own));
  }
  return findings;
}

function auditOne(
  checked: CheckedDelivery,
  seen: ReadonlyMap<string, readonly SimulatedPost[]>,
  claimed: Set<SimulatedPost>,
): Finding[] {
  const { planned, delivery } = checked;
  const { channel } = planned;
  const finding = (kind: FindingKind, says: string) => ({ kind, about: checked, channel, says });
  if (!delivery) return [finding("not_imported", "the import made no delivery of it")];
  const parts = claimParts(planned, delivery, seen.get(channel) ?? [], claimed);
  return [...auditState(checked, delivery), ...parts].map(([kind, says]) => finding(kind, says));
}

type Verdict = readonly [FindingKind, string];

function auditState(
  { planned, snapshots, snapshotsDue, readBacksDue, isChanged }: CheckedDelivery,
  delivery: KnownDelivery,
): Verdict[] {
  const isPublished = delivery.state === "published";
  const receipts = delivery.receipt?.parts.length ?? 0;
  const wrong: readonly (readonly [boolean, ...Verdict])[] = [
    [
      Date.parse(delivery.dueAt) !== planned.dueAt.getTime(),
      "wrong_time",
      `planned for ${planned.dueAt.toISOString()}`,
    ],
    [!isSettled(delivery), "stuck", "it has not ended"],
    [!isPublished && delivery.error === null, "stuck", "nobody is told why it did not go out"],
    [
      isPublished && delivery.attempts.some(({ outcome }) => outcome === null),
      "stuck",
      "an attempt was never answered",
    ],
    [
      isPublished && receipts < planned.parts.length,
      "lost",
      "it counts as published, but not every part has a receipt",
    ],
    [
      isPublished && snapshots !== snapshotsDue,
      "snapshot_missing",
      `${snapshots} of ${snapshotsDue} readings`,
    ],
    [
      isPublished && delivery.readBacks.length !== readBacksDue,
      "read_back_missing",
      `read back ${delivery.readBacks.length} times, not ${readBacksDue}`,
    ],
    [
      isPublished && isSeenChanged(delivery) !== isChanged,
      "read_back_wrong",
      isChanged ? "a change was not noticed" : "it was never changed, but is said to be",
    ],
  ];
  return wrong.flatMap(([isSo, ...verdict]) => (isSo ? [verdict] : []));
}

/** Finds the public post of every receipt. A post answers for one receipt only. */
function claimParts(
  planned: PlannedDelivery,
  { receipt }: KnownDelivery,
  posts: readonly SimulatedPost[],
  claimed: Set<SimulatedPost>,
): Verdict[] {
  return (receipt?.parts ?? []).flatMap(({ part, remoteId }, index, receipts): Verdict[] => {
    const post = posts.find((one) => one.remoteId === remoteId && !claimed.has(one));
    if (!post || post.removed)
      return [["lost", `part ${part + 1} has a receipt, but is not public`]];
    claimed.add(post);
    const parent = receipts[index - 1]?.remoteId ?? null;
    const difference = differenceOf(planned.parts[part], post, parent);
    return difference === null ? [] : [["differs", `part ${part + 1}: ${difference}`]];
  });
}

function differenceOf(
  wanted: PlannedPart | undefined,
  post: SimulatedPost,
  parent: string | null,
): string | null {
  if (!wanted) return "the plan has no such part";
  if (post.text !== wanted.text) return "another text than planned is public";
  if (JSON.stringify(post.altTexts) !== JSON.stringify(wanted.altTexts)) {
    return "the images have other alt texts than planned";
  }
  return post.parent === parent ? null : "it does not answer the part before it";
}

/** A public post without a receipt: a second copy, or one that Postwell does not know to be out. */
function surplus(channel: string, post: SimulatedPost, all: readonly CheckedDelivery[]): Finding {
  const about = all.find(({ planned }) => planned.parts.some(({ text }) => text === post.text));
  const says = `${post.remoteId} is public since ${post.at.toISOString()}`;
  if (!about) return { kind: "unplanned", about: null, channel, says };
  const part = about.planned.parts.findIndex(({ text }) => text === post.text);
  const isKnown = about.delivery?.receipt?.parts.some((receipt) => receipt.part === part) ?? false;
  return { kind: isKnown ? "doubled" : "unrecorded", about, channel, says };
}
