import type { Context } from "../../shared/context.ts";
import { inTransaction } from "../../shared/db/client.ts";
import { wake, type NextRun, type Wake } from "../../shared/db/outbox.ts";
import { channelsAfter, repairDeliveries } from "../../shared/db/repairs.ts";
import type { Job } from "../../shared/jobs/job.ts";
import { JOBS } from "../../shared/jobs/registry.ts";

/** Channels looked at by one statement a job. */
const PAGE = 500;

/** A row this much behind its work is only being changed. */
const SLACK_MS = 1_000;

/**
 * Puts right what would stand still for ever: deliveries in impossible states, and channels with work that nobody would be woken
 * for. Safe in any number of workers at once.
 */
export async function repair(context: Context): Promise<void> {
  const { db, log } = context;
  const repaired = await repairDeliveries(db);
  for (const { id: deliveryId, from, to, reason } of repaired) {
    log.error({ deliveryId, from, to, reason }, "a delivery in an impossible state was repaired");
  }
  // Always: whoever gives the lease of such a channel back just now may have read its times before the repair.
  const wakes = repaired.flatMap(({ channelId: subjectId, platform: lane, nextAt: runAt }) =>
    runAt ? [{ job: "publish-channel", lane, subjectId, runAt }] : [],
  );
  await inTransaction(db, (tx) => wake(tx, wakes));
  let page = await channelsAfter(db, null, PAGE);
  while (page.length > 0) {
    for (const job of JOBS) if (!job.isLookedFor) await wakeForgotten(context, job, page);
    page = page.length < PAGE ? [] : await channelsAfter(db, page.at(-1)?.id ?? null, PAGE);
  }
}

async function wakeForgotten(
  { db, log }: Context,
  job: Job,
  channels: readonly { readonly id: string; readonly platform: string }[],
): Promise<void> {
  const ids = channels.map(({ id }) => id);
  const runs = await job.nextRuns(db, ids);
  const wakes = channels.flatMap(({ id: subjectId, platform: lane }): Wake[] => {
    const run = runs.get(subjectId);
    if (!run?.runAt || !isForgotten(run, run.runAt)) return [];
    return [{ job: job.name, lane, subjectId, runAt: run.runAt }];
  });
  if (wakes.length === 0) return;
  const subjectIds = wakes.map(({ subjectId }) => subjectId);
  log.error({ job: job.name, subjectIds }, "channels had work that nobody would be woken for");
  await inTransaction(db, (tx) => wake(tx, wakes));
}

/** Whoever holds a lease notes the next time when giving it back. */
function isForgotten({ wakesAt, isInHand }: NextRun, runAt: Date): boolean {
  return wakesAt === null || (!isInHand && wakesAt.getTime() > runAt.getTime() + SLACK_MS);
}
