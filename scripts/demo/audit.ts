import type { SimulatedPost } from "../../shared/connectors/simulator.ts";
import type { DeliveryView } from "../../shared/contract/delivery.ts";
import type { PlannedDelivery } from "./plan.ts";
import { isSettled } from "./stories.ts";

/** One planned delivery beside what the API says about it. */
export interface Account {
  readonly planned: PlannedDelivery;
  /** Null where the import made none. */
  readonly delivery: DeliveryView | null;
  readonly snapshots: number;
  /** Readings that a published delivery must have by now; 0 where the platform reports nothing. */
  readonly snapshotsDue: number;
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
  | "unplanned";

/** Something that must not be. */
export interface Finding {
  readonly kind: FindingKind;
  /** Null for a public post that nobody planned. */
  readonly account: Account | null;
  readonly channel: string;
  readonly says: string;
}

/**
 * Holds plan, API and platforms against each other: every published part is public exactly once and exactly as planned,
 * nothing else is public, and nothing waits without a person who was told.
 * @param seen what each channel's platform has seen, by the channel's name
 */
export function audit(
  accounts: readonly Account[],
  seen: ReadonlyMap<string, readonly SimulatedPost[]>,
): Finding[] {
  const claimed = new Set<SimulatedPost>();
  const findings = accounts.flatMap((account) => auditOne(account, seen, claimed));
  for (const [channel, posts] of seen) {
    const own = accounts.filter(({ planned }) => planned.channel === channel);
    for (const post of posts) if (!claimed.has(post)) findings.push(surplus(channel, post, own));
  }
  return findings;
}

function auditOne(
  account: Account,
  seen: ReadonlyMap<string, readonly SimulatedPost[]>,
  claimed: Set<SimulatedPost>,
): Finding[] {
  const { planned, delivery, snapshots, snapshotsDue } = account;
  const finding = (kind: FindingKind, says: string): Finding => ({
    kind,
    account,
    channel: planned.channel,
    says,
  });
  if (!delivery) return [finding("not_imported", "the import made no delivery of it")];
  const receipts = delivery.receipt?.parts ?? [];
  const isPublished = delivery.state === "published";
  const findings: Finding[] = [];
  if (Date.parse(delivery.dueAt) !== planned.dueAt.getTime()) {
    findings.push(finding("wrong_time", `planned for ${planned.dueAt.toISOString()}`));
  }
  if (!isSettled(delivery)) findings.push(finding("stuck", "it has not ended"));
  if (isPublished && receipts.length < planned.parts.length) {
    findings.push(finding("lost", "it counts as published, but not every part has a receipt"));
  }
  if (isPublished && delivery.attempts.some(({ outcome }) => outcome === null)) {
    findings.push(finding("stuck", "an attempt was never answered"));
  }
  if (isPublished && snapshots !== snapshotsDue) {
    findings.push(finding("snapshot_missing", `${snapshots} of ${snapshotsDue} readings`));
  }
  for (const [index, { part, remoteId }] of receipts.entries()) {
    const post = seen.get(planned.channel)?.find((one) => one.remoteId === remoteId);
    if (!post || post.removed || claimed.has(post)) {
      findings.push(finding("lost", `part ${part + 1} has a receipt, but is not public`));
      continue;
    }
    claimed.add(post);
    const parent = receipts[index - 1]?.remoteId ?? null;
    const difference = differenceOf(planned, part, { ...post, expectedParent: parent });
    if (difference) findings.push(finding("differs", `part ${part + 1}: ${difference}`));
  }
  return findings;
}

function differenceOf(
  planned: PlannedDelivery,
  part: number,
  post: SimulatedPost & { readonly expectedParent: string | null },
): string | null {
  const wanted = planned.parts[part];
  if (!wanted) return "the plan has no such part";
  if (post.text !== wanted.text) return "another text than planned is public";
  if (JSON.stringify(post.altTexts) !== JSON.stringify(wanted.altTexts)) {
    return "the images have other alt texts than planned";
  }
  if (post.parent !== post.expectedParent) return "it does not answer the part before it";
  return null;
}

/** A public post without a receipt: a second copy, or one that Postwell does not know to be out. */
function surplus(channel: string, post: SimulatedPost, accounts: readonly Account[]): Finding {
  const of = accounts.find(({ planned }) => planned.parts.some(({ text }) => text === post.text));
  const says = `${post.remoteId} is public since ${post.at.toISOString()}`;
  if (!of) return { kind: "unplanned", account: null, channel, says };
  const part = of.planned.parts.findIndex(({ text }) => text === post.text);
  const isKnown = of.delivery?.receipt?.parts.some((receipt) => receipt.part === part) ?? false;
  return { kind: isKnown ? "doubled" : "unrecorded", account: of, channel, says };
}
