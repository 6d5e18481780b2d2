import { sql } from "kysely";
import type { Actor, Context } from "../context.ts";
import { clock, inTransaction, type Tx } from "../db/client.ts";
import {
  goOnWithThreads,
  lockDeliveries,
  replanDeliveries,
  wakeChannels,
  type PlannedDelivery,
} from "../db/deliveries-plan.ts";
import type { DeliveryState } from "../domain/delivery.ts";
import { planFor } from "../domain/delivery-plan.ts";
import { PERSON_MAY_RETRY, retryGoesOn } from "../domain/retry-plan.ts";
import { minutesLater, resolveWhen, type Moment, type When } from "../domain/schedule.ts";
import { AT_ONCE, matching, type DeliveryFilter } from "./delivery-filter.ts";

/** When what is retried goes out. */
export interface RetryTime {
  readonly at: When;
  /** Null for the post's own. */
  readonly latestAfterMinutes: number | null;
}

/** The time of many. */
export interface RetryTimes extends RetryTime {
  /** Between two on the same channel, in the order of their former times; 0 for all at once. */
  readonly gapMinutes: number;
}

export interface Retried {
  readonly ids: readonly string[];
  /** Named by id, but not in a state in which a retry makes sense, or not to be found. */
  readonly skippedIds: readonly string[];
  /** There were more than one request retries: ask again. */
  readonly hasMore: boolean;
}

/**
 * Gives many stopped deliveries a new time. Without ids and states it takes those that failed. What is in another state is
 * left alone, so that it may be repeated.
 * @throws {AppError} invalid as `resolveWhen`
 */
export async function retryDeliveries(
  { db }: Context,
  { workspaceId }: Actor,
  filter: DeliveryFilter,
  time: RetryTimes,
): Promise<Retried> {
  const byDefault: readonly DeliveryState[] = filter.ids ? PERSON_MAY_RETRY : ["failed"];
  const meant = matching(workspaceId, filter, filter.states ?? byDefault);
  const where = sql`${meant} and c.removed_at is null and d.removal_wished_at is null`;
  return inTransaction(db, async (tx) => {
    const moment = resolveWhen(time.at, await clock(tx));
    const found = await lockDeliveries(tx, where, AT_ONCE + 1);
    const taken = found.slice(0, AT_ONCE);
    await retryLocked(tx, workspaceId, taken, { moment, ...time });
    const ids = taken.map(({ id }) => id);
    const hasMore = found.length > AT_ONCE;
    const skippedIds = (filter.ids ?? []).filter((id) => !ids.includes(id));
    return { ids, skippedIds, hasMore };
  });
}

/** Gives locked deliveries, all in a state that may be retried, their new time, and wakes their channels. */
export async function retryLocked(
  tx: Tx,
  workspaceId: string,
  deliveries: readonly PlannedDelivery[],
  time: {
    readonly moment: Moment;
    readonly latestAfterMinutes: number | null;
    readonly gapMinutes?: number;
  },
): Promise<void> {
  const { moment, latestAfterMinutes, gapMinutes = 0 } = time;
  const planned = inTheirOrder(deliveries).map(({ delivery, place }) => ({
    ...delivery,
    ...planFor(
      minutesLater(moment, place * gapMinutes),
      latestAfterMinutes ?? delivery.latestAfterMinutes,
    ),
  }));
  const goingOn = planned.filter(({ state }) => retryGoesOn(state));
  const anew = planned.filter(({ state }) => !retryGoesOn(state));
  await replanDeliveries(tx, workspaceId, anew, "delivery.scheduled");
  await goOnWithThreads(tx, workspaceId, goingOn);
  await wakeChannels(
    tx,
    planned.map(({ channelId, platform, dueAt: at }) => ({ channelId, platform, at })),
  );
}

/** Each with its place among those of its channel, from 0. */
function inTheirOrder(
  deliveries: readonly PlannedDelivery[],
): { delivery: PlannedDelivery; place: number }[] {
  const counts = new Map<string, number>();
  const byTime = deliveries.toSorted((a, b) => a.dueAt.getTime() - b.dueAt.getTime());
  return byTime.map((delivery) => {
    const place = counts.get(delivery.channelId) ?? 0;
    counts.set(delivery.channelId, place + 1);
    return { delivery, place };
  });
}
