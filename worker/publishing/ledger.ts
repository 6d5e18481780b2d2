import type { Context } from "../../shared/context.ts";
import {
  arm,
  claimNext,
  type Arming,
  type ChannelLease,
  type DueDelivery,
} from "../../shared/db/deliveries.ts";
import type { Budgets } from "../budgets/budgets.ts";
import type { FenceWatch } from "../engine/fence-watch.ts";
import type { Meters } from "../metrics/meters.ts";
import type { Breakers } from "./breakers.ts";
import { recordPublished, type PublishedAnswer } from "../../shared/db/publications.ts";
import { inRounds } from "../../shared/db/rounds.ts";

/** What every publication needs of this process: its writes, the holds, and what platforms allow and stand. */
export interface Publishing {
  readonly ledger: Ledger;
  readonly fences: FenceWatch;
  readonly budgets: Budgets;
  readonly breakers: Breakers;
  readonly meters: Meters;
}

/** The three writes of every publication, done for many channels in one statement each. */
export interface Ledger {
  claimNext(lease: ChannelLease): Promise<DueDelivery | null>;
  /** @returns false where the delivery or the lease has moved on */
  arm(arming: Arming): Promise<boolean>;
  /** @returns the delivery's new version; null where it had moved on */
  recordPublished(answer: PublishedAnswer): Promise<number | null>;
}

/** An attempt is not written when less than this is left of the lease. */
export const LEASE_MARGIN_MS = 2_000;

const ROUND = 200;

export function createLedger(
  { db, observeClock }: Context,
  worker: string,
  fences: FenceWatch,
  { round }: Pick<Meters, "round">,
): Ledger {
  async function claimAndObserve(leases: readonly ChannelLease[]) {
    const found = await claimNext(db, leases);
    const some = found.find((delivery) => delivery !== null);
    if (some) {
      observeClock(some.now);
      fences.observe(some.holdFence);
    }
    return found;
  }
  const armAll = (armings: readonly Arming[]) => arm(db, worker, LEASE_MARGIN_MS, armings);
  const recordAll = (answers: readonly PublishedAnswer[]) => recordPublished(db, answers);
  return {
    claimNext: inRounds(ROUND, round("claim", claimAndObserve)),
    arm: inRounds(ROUND, round("arm", armAll)),
    recordPublished: inRounds(ROUND, round("answer", recordAll)),
  };
}
