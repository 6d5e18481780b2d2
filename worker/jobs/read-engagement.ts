import type { Engagement } from "../../shared/connectors/connector.ts";
import { ConnectorError } from "../../shared/connectors/error.ts";
import { connectorOf } from "../../shared/commands/channel-calls.ts";
import { onChannel } from "../../shared/commands/on-channel.ts";
import {
  dueReadings,
  postponeReadings,
  recordReadings,
  type DueReading,
} from "../../shared/db/engagement.ts";
import { attentionFor } from "../../shared/domain/channel.ts";
import type { FailureKind } from "../../shared/domain/failure.ts";
import { mayBlameOnePost } from "../../shared/domain/read-back.ts";
import { nextReadingAt, parseEngagementSchedule } from "../../shared/domain/engagement-schedule.ts";
import { flagChannel } from "../../shared/db/channel-health.ts";
import type { Handler, Work } from "../engine/handler.ts";
import { inRequests } from "../receipts/in-requests.ts";

const READ_TIMEOUT_MS = 30_000;
const HOUR_MS = 3_600_000;

/** Reads the engagement of one channel's posts that is due, a request's worth at a time. */
export const readEngagementHandler: Handler = async (work) => {
  while (!work.signal.aborted) {
    const due = await dueReadings(work.context.db, work.lease.subjectId);
    if (!due) return;
    work.context.observeClock(due.now);
    await readAll(work, due);
  }
};

async function readAll(work: Work, due: DueReading): Promise<void> {
  const { batch } = due.channel.capabilities.engagement;
  const groups = inRequests(due.deliveries, ({ remoteIds }) => remoteIds.length, batch);
  for (let group = groups.shift(); group && !work.signal.aborted; group = groups.shift()) {
    const totals = await readTotals(work, due, group);
    if (!(totals instanceof ConnectorError)) {
      await record(work, due, group, { totals, error: null });
    } else if (!mayBlameOnePost(totals.kind)) {
      // What ails the platform ails the others too: they wait as well instead of running into it.
      return postpone(work, due, [...group, ...groups.flat()], totals);
    } else if (group.length > 1) {
      groups.unshift(...group.map((one) => [one]));
    } else {
      await record(work, due, group, { totals: new Map(), error: totals.kind });
    }
  }
}

type Reading = DueReading["deliveries"][number];

async function record(
  { context }: Work,
  due: DueReading,
  group: readonly Reading[],
  read: { readonly totals: ReadonlyMap<string, Engagement>; readonly error: FailureKind | null },
): Promise<void> {
  const { totals, error } = read;
  const schedule = parseEngagementSchedule(context.config.engagementAfter);
  await recordReadings(
    context.db,
    group.map(({ deliveryId, publishedAt, remoteIds }) => {
      if (error) context.log.warn({ deliveryId, kind: error }, "engagement could not be read");
      const nextAt = nextReadingAt(publishedAt, due.now, schedule);
      return { deliveryId, metrics: totalOf(remoteIds, totals), nextAt, error };
    }),
  );
}

async function postpone(
  { context }: Work,
  { channel, now }: DueReading,
  deliveries: readonly Reading[],
  error: ConnectorError,
): Promise<void> {
  context.log.warn({ channelId: channel.id, kind: error.kind }, "engagement could not be read");
  const attention = attentionFor(error);
  if (attention) await flagChannel(context.db, channel.id, attention, now);
  const inAnHour = new Date(now.getTime() + HOUR_MS);
  const until = error.until && error.until > now ? error.until : inAnHour;
  const ids = deliveries.map(({ deliveryId }) => deliveryId);
  await postponeReadings(context.db, ids, until);
}

async function readTotals(
  { context }: Work,
  { channel }: DueReading,
  group: readonly Reading[],
): Promise<ReadonlyMap<string, Engagement> | ConnectorError> {
  const connector = connectorOf(context, channel.platform);
  const ids = group.flatMap(({ remoteIds }) => remoteIds);
  const { batch } = channel.capabilities.engagement;
  const totals = new Map<string, Engagement>();
  if (!connector.readEngagement) return totals;
  try {
    for (let start = 0; start < ids.length; start += batch) {
      const signal = AbortSignal.timeout(READ_TIMEOUT_MS);
      const some = ids.slice(start, start + batch);
      const read = await onChannel(
        context,
        channel,
        signal,
        async (reader, call) => (await reader.readEngagement?.(some, call)) ?? new Map(),
      );
      for (const [id, engagement] of read) totals.set(id, engagement);
    }
    return totals;
  } catch (error) {
    if (error instanceof ConnectorError) return error;
    throw error;
  }
}

/** A thread earns what its parts earn. Null where the platform named none of them; a metric that no part has is absent. */
function totalOf(
  remoteIds: readonly string[],
  totals: ReadonlyMap<string, Engagement>,
): Record<string, number> | null {
  const parts = remoteIds.flatMap((id) => totals.get(id) ?? []);
  if (parts.length === 0) return null;
  const sum: Record<string, number> = {};
  for (const part of parts) {
    for (const [metric, count] of Object.entries(part)) sum[metric] = (sum[metric] ?? 0) + count;
  }
  return sum;
}
