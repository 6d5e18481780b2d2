import { letChannelWait } from "../../shared/db/channel-waits.ts";
import { moveDelivery, type DueDelivery, type Move } from "../../shared/db/deliveries.ts";
import { firstLookAt } from "../../shared/domain/reconciliation.ts";
import { waitAfter, type WaitReason } from "../../shared/domain/wait.ts";
import type { Handler, Work } from "../engine/handler.ts";
import type { Publishing } from "../publishing/ledger.ts";
import { isLeftToRest } from "../publishing/left-behind.ts";
import { adoptWhereFound, lookForPost } from "../publishing/look-for-post.ts";
import { withHost } from "../publishing/limits.ts";
import { publishDelivery } from "../publishing/publish-delivery.ts";
import { isOfStore } from "../publishing/until-stored.ts";
import { refuseImpossible } from "../publishing/refuse-impossible.ts";

/**
 * Works off what is due on one channel, in the order of the times. The lease makes it the only worker there, so a delivery
 * that is found in `sending` was left by a worker that is gone.
 */
export function publishChannelHandler(publishing: Publishing): Handler {
  return async (work) => {
    const { subjectId: channelId, fence, isTakenOver } = work.lease;
    let hasLeftBehind = isTakenOver;
    while (!work.signal.aborted) {
      const delivery = await publishing.ledger.claimNext({ channelId, fence });
      if (delivery) {
        const wasInHand = hasLeftBehind && ["preparing", "sending"].includes(delivery.state);
        if (wasInHand) hasLeftBehind = false;
        if (wasInHand && (await isLeftToRest(work, delivery))) continue;
        await takeStepOrStop(work, publishing, delivery);
      } else if (!(await publishing.breakers.mayProbe(work.lease))) return;
    }
  };
}

/** A fault of ours over one delivery stops that delivery, not its channel. Trouble with PostgreSQL is nobody's fault, and passes. */
async function takeStepOrStop(
  work: Work,
  publishing: Publishing,
  delivery: DueDelivery,
): Promise<void> {
  try {
    await takeStep(work, publishing, await withHost(work, delivery));
  } catch (error) {
    if (isOfStore(error)) throw error;
    const { id: deliveryId, state, receipts } = delivery;
    work.context.log.error({ err: error, deliveryId }, "working on a delivery failed");
    const mayBeOut = state === "unknown" || state === "sending";
    const to = mayBeOut ? "unknown" : receipts.length > 0 ? "partial" : "failed";
    const kind = mayBeOut ? "unknown_outcome" : "bug";
    const what = { kind, platformMessage: null, platformCode: null } as const;
    await move(work, delivery, { to, nextAt: null, error: what });
  }
}

async function takeStep(work: Work, publishing: Publishing, delivery: DueDelivery): Promise<void> {
  if (await refuseImpossible(work, delivery)) return;
  if (delivery.state === "unknown") return lookForPost(work, publishing, delivery);
  if (delivery.state === "sending" || delivery.openAttempt)
    return declareUnknown(work, publishing, delivery);
  if (delivery.isHeld) return hold(work, delivery);
  if (delivery.isLate && delivery.receipts.length === 0) return miss(work, delivery);
  if (delivery.attention) return putBack(work, delivery);
  // Unclaimed: somebody edited, moved or cancelled it in this very moment. The next look sees what they made of it.
  if (!delivery.isClaimed) return;
  await publishDelivery(work, publishing, delivery);
  await paceCatchUp(work, delivery);
}

/** Beyond this a delivery is made up for after an outage, not merely a moment late. */
const CATCHING_UP_MS = 60_000;

/** What has waited for us or the platform to come back goes out one by one, not in a burst. */
async function paceCatchUp(
  { context }: Work,
  { channelId, dueAt, now }: DueDelivery,
): Promise<void> {
  if (now.getTime() - dueAt.getTime() < CATCHING_UP_MS) return;
  const until = new Date(context.now().getTime() + context.config.catchUpGapMs);
  await letChannelWait(context.db, channelId, until, "catching_up");
}

/**
 * Left in `sending` by a worker that is gone. To find the post proves at any time that it is out; not to find it proves nothing while the
 * dead worker's request may be under way. That ends a commit's time after its lease, so then begin the looks that count.
 */
async function declareUnknown(
  work: Work,
  publishing: Publishing,
  delivery: DueDelivery,
): Promise<void> {
  const { commitTimeoutMs } = work.context.config;
  const sureToHaveEnded = new Date(delivery.now.getTime() + commitTimeoutMs);
  const rules = { ...delivery.capabilities.idempotency, canProveAbsence: true };
  const error = { kind: "unknown_outcome", platformMessage: null, platformCode: null } as const;
  await move(work, delivery, { to: "unknown", nextAt: firstLookAt(sureToHaveEnded, rules), error });
  await adoptWhereFound(work, publishing, delivery);
}

/** Held is neither failed nor sent. A thread that is half out stays what it is; for both a person decides. */
async function hold(work: Work, delivery: DueDelivery): Promise<void> {
  work.context.log.info({ deliveryId: delivery.id }, "delivery held");
  const to = delivery.receipts.length > 0 ? "partial" : "held";
  await move(work, delivery, { to, nextAt: null, error: null });
}

/** A dead worker had it in hand, and the channel needs a person by now: it waits like the others. */
async function putBack(work: Work, delivery: DueDelivery): Promise<void> {
  const to = delivery.receipts.length > 0 ? "partial" : "scheduled";
  await move(work, delivery, { to, nextAt: delivery.now, error: null });
}

async function miss(work: Work, delivery: DueDelivery): Promise<void> {
  const waitedFor = whyLate(delivery);
  const { id: deliveryId, error } = delivery;
  work.context.log.warn({ deliveryId, waitReason: waitedFor }, "delivery missed its latest time");
  await move(work, delivery, { to: "missed", nextAt: null, error, waitedFor });
}

/** A channel that needs a person has the last word: no other wait would have ended either. */
function whyLate({ attention, waitReason, error }: DueDelivery): WaitReason | null {
  return attention ? "needs_person" : (waitReason ?? (error && waitAfter(error.kind)));
}

async function move(
  work: Work,
  delivery: DueDelivery,
  where: Pick<Move, "to" | "nextAt" | "error" | "waitedFor">,
): Promise<void> {
  await moveDelivery(work.context.db, {
    deliveryId: delivery.id,
    version: delivery.version,
    tries: 0,
    looks: 0,
    answer: null,
    ...where,
  });
}
