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
import { nextReadingAt, parseEngagementSchedule } from "../../shared/domain/engagement-schedule.ts";
import { flagChannel } from "../../shared/db/channel-health.ts";
import type { Handler, Work } from "../engine/handler.ts";

const READ_TIMEOUT_MS = 30_000;
const HOUR_MS = 3_600_000;

/** Reads the engagement of one channel's posts that is due, a request's worth at a time. */
export const readEngagementHandler: Handler = async (work) => {
  while (!work.signal.aborted) {
    const due = await dueReadings(work.context.db, work.lease.subjectId);
    if (!due) return;
    work.context.observeClock(due.now);
    await readOnce(work, due);
  }
};

async function readOnce(work: Work, due: DueReading): Promise<void> {
  const { context } = work;
  try {
    const totals = await readTotals(work, due);
    const schedule = parseEngagementSchedule(context.config.engagementAfter);
    await recordReadings(
      context.db,
      due.deliveries.map(({ deliveryId, publishedAt, remoteIds }) => ({
        deliveryId,
        metrics: totalOf(remoteIds, totals),
        nextAt: nextReadingAt(publishedAt, due.now, schedule),
      })),
    );
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error;
    const { kind } = error;
    context.log.warn({ channelId: due.channel.id, kind }, "engagement could not be read");
    const attention = attentionFor(error);
    if (attention) await flagChannel(context.db, due.channel.id, attention, due.now);
    const inAnHour = new Date(due.now.getTime() + HOUR_MS);
    const until = error.until && error.until > due.now ? error.until : inAnHour;
    await postponeReadings(
      context.db,
      due.deliveries.map(({ deliveryId }) => deliveryId),
      until,
    );
  }
}

async function readTotals(work: Work, due: DueReading): Promise<ReadonlyMap<string, Engagement>> {
  const connector = connectorOf(work.context, due.channel.platform);
  const ids = due.deliveries.flatMap(({ remoteIds }) => remoteIds);
  const batch = due.channel.capabilities.engagement.batch;
  const totals = new Map<string, Engagement>();
  if (!connector.readEngagement) return totals;
  for (let start = 0; start < ids.length; start += batch) {
    const signal = AbortSignal.timeout(READ_TIMEOUT_MS);
    const some = ids.slice(start, start + batch);
    const read = await onChannel(
      work.context,
      due.channel,
      signal,
      async (reader, call) => (await reader.readEngagement?.(some, call)) ?? new Map(),
    );
    for (const [id, engagement] of read) totals.set(id, engagement);
  }
  return totals;
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
