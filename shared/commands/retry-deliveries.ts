import { type RawBuilder, sql } from "kysely";
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
import { resolveWhen, type Moment, type When } from "../domain/schedule.ts";

/** Most deliveries that one request retries. */
const RETRY_LIMIT = 1_000;

/** Which deliveries to retry: all that match every condition which is not undefined. */
export interface RetryFilter {
  readonly ids?: readonly string[] | undefined;
  readonly states?: readonly DeliveryState[] | undefined;
  readonly channelId?: string | undefined;
  readonly kind?: string | undefined;
  /** Due at this instant or later, UTC. */
  readonly from?: Date | undefined;
  /** Due before this instant, UTC. */
  readonly to?: Date | undefined;
}

/** When what is retried goes out. */
export interface RetryTime {
  readonly at: When;
  /** Null for the post's own. */
  readonly latestAfterMinutes: number | null;
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
  filter: RetryFilter,
  time: RetryTime,
): Promise<Retried> {
  return inTransaction(db, async (tx) => {
    const moment = resolveWhen(time.at, await clock(tx));
    const found = await lockDeliveries(tx, matching(workspaceId, filter), RETRY_LIMIT + 1);
    const taken = found.slice(0, RETRY_LIMIT);
    await retryLocked(tx, workspaceId, taken, { moment, ...time });
    const ids = taken.map(({ id }) => id);
    const hasMore = found.length > RETRY_LIMIT;
    const skippedIds = (filter.ids ?? []).filter((id) => !ids.includes(id));
    return { ids, skippedIds, hasMore };
  });
}

/** Gives locked deliveries, all in a state that may be retried, their new time, and wakes their channels. */
export async function retryLocked(
  tx: Tx,
  workspaceId: string,
  deliveries: readonly PlannedDelivery[],
  time: { readonly moment: Moment; readonly latestAfterMinutes: number | null },
): Promise<void> {
  const { moment, latestAfterMinutes } = time;
  const planned = deliveries.map((delivery) => ({
    ...delivery,
    ...planFor(moment, latestAfterMinutes ?? delivery.latestAfterMinutes),
  }));
  const goingOn = planned.filter(({ state }) => retryGoesOn(state));
  const anew = planned.filter(({ state }) => !retryGoesOn(state));
  await replanDeliveries(tx, workspaceId, anew, "delivery.scheduled");
  await goOnWithThreads(tx, workspaceId, goingOn);
  await wakeChannels(
    tx,
    planned.map(({ channelId, platform }) => ({ channelId, platform, at: moment.dueAt })),
  );
}

function matching(workspaceId: string, filter: RetryFilter): RawBuilder<unknown> {
  const byDefault: readonly DeliveryState[] = filter.ids ? PERSON_MAY_RETRY : ["failed"];
  const states = filter.states ?? byDefault;
  const conditions = [
    sql`d.workspace_id = ${workspaceId}`,
    sql`d.state = any(${states})`,
    sql`c.removed_at is null`,
    sql`d.removal_wished_at is null`,
    filter.ids && sql`d.id = any(${filter.ids}::uuid[])`,
    filter.channelId && sql`d.channel_id = ${filter.channelId}`,
    filter.kind && sql`d.error ->> 'kind' = ${filter.kind}`,
    filter.from && sql`d.due_at >= ${filter.from}`,
    filter.to && sql`d.due_at < ${filter.to}`,
  ];
  return sql.join(
    conditions.flatMap((condition) => (typeof condition === "object" ? [condition] : [])),
    sql` and `,
  );
}
