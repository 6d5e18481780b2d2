import type { Context } from "../../shared/context.ts";
import type { Db } from "../../shared/db/client.ts";
import {
  releaseAfterStumble,
  releaseLeases,
  renewLeases,
  type Lease,
  type Release,
} from "../../shared/db/outbox.ts";
import { inRounds } from "../../shared/db/rounds.ts";
import type { NextRun } from "../../shared/db/outbox.ts";
import { JOBS } from "../../shared/jobs/registry.ts";
import type { Meters } from "../metrics/meters.ts";
import { LEASE_MARGIN_MS } from "../publishing/ledger.ts";
import type { Handler } from "./handler.ts";
import { laneOf } from "./lane.ts";

/** A worker that dies is replaced after this; renewals come three times as often. */
export const LEASE_MS = 10_000;
const RENEW_EVERY_MS = LEASE_MS / 3;

/** Runs handlers under their leases, keeps these alive, and gives them back. */
export interface LeaseKeeper {
  /**
   * Runs the handler of a lease to its end. Never rejects: what goes wrong is logged, and the work is tried again later.
   * @param askedAtMs `performance.now()` from before the lease was asked for: it lasts from then on
   */
  run(lease: Lease, askedAtMs: number): Promise<void>;
  /** How many leases are held on each lane, by `job/lane`. */
  held(lane: string): number;
  /** Lets handlers finish the step in hand, and waits for them. */
  stop(): Promise<void>;
}

interface Held {
  readonly lease: Lease;
  readonly abort: AbortController;
  renewedAt: number;
}

/** Every job needs exactly one handler: a job without one would never run, and nobody would know. */
export function requireHandlers(handlers: ReadonlyMap<string, Handler>): void {
  const names = JOBS.map((job) => job.name)
    .sort()
    .join(", ");
  const given = [...handlers.keys()].sort().join(", ");
  if (names !== given) throw new Error(`Jobs are ${names}, but handlers are ${given}.`);
}

export function createLeaseKeeper(
  context: Context,
  worker: string,
  handlers: ReadonlyMap<string, Handler>,
  meters: Pick<Meters, "tookOver" | "lostLease">,
): LeaseKeeper {
  requireHandlers(handlers);
  const held = new Map<string, Held>();
  const running = new Set<Promise<void>>();
  const countByLane = new Map<string, number>();
  const giveBack = createGiveBack(context.db);
  let isStopping = false;
  const timer = setInterval(() => void renewAll(context, worker, held), RENEW_EVERY_MS);

  async function run(lease: Lease, askedAtMs: number): Promise<void> {
    const key = keyOf(lease);
    const entry: Held = { lease, abort: new AbortController(), renewedAt: askedAtMs };
    // An older lease of ours on the same subject has ended without our noticing: the process was frozen.
    held.get(key)?.abort.abort();
    held.set(key, entry);
    if (isStopping) entry.abort.abort();
    if (lease.isTakenOver) meters.tookOver();
    const lane = laneOf(lease);
    countByLane.set(lane, (countByLane.get(lane) ?? 0) + 1);
    try {
      await runHandler(context, handlers, entry);
      await giveBack(lease);
    } catch (error) {
      context.log.error({ err: error, job: lease.job, subjectId: lease.subjectId }, "job failed");
      await releaseAfterStumble(context.db, lease).catch((again: unknown) => {
        // The lease ends by itself, and another worker goes on.
        context.log.error(
          { err: again, job: lease.job, subjectId: lease.subjectId },
          "lease not given back",
        );
      });
    } finally {
      if (held.get(key) === entry) held.delete(key);
      if (performance.now() - entry.renewedAt > LEASE_MS) meters.lostLease();
      countByLane.set(lane, (countByLane.get(lane) ?? 1) - 1);
    }
  }

  return {
    async run(lease, askedAtMs) {
      const promise = run(lease, askedAtMs);
      running.add(promise);
      await promise;
      running.delete(promise);
    },
    held: (lane) => countByLane.get(lane) ?? 0,
    async stop() {
      isStopping = true;
      for (const { abort } of held.values()) abort.abort();
      while (running.size > 0) await Promise.all(running);
      clearInterval(timer);
    },
  };
}

async function runHandler(
  context: Context,
  handlers: ReadonlyMap<string, Handler>,
  entry: Held,
): Promise<void> {
  const handler = handlers.get(entry.lease.job);
  if (!handler) throw new Error(`No handler for the job ${entry.lease.job}.`);
  await handler({
    context,
    lease: entry.lease,
    signal: entry.abort.signal,
    isSurelyHeld: () => performance.now() - entry.renewedAt < LEASE_MS - LEASE_MARGIN_MS,
  });
}

async function renewAll(context: Context, worker: string, held: Map<string, Held>): Promise<void> {
  // Taken before the question: the lease lasts from then on at least.
  const askedAt = performance.now();
  try {
    const leases = [...held.values()].map(({ lease }) => lease);
    const renewed = await renewLeases(context.db, { worker, leaseMs: LEASE_MS }, leases);
    for (const lease of renewed) {
      const entry = held.get(keyOf(lease));
      if (entry?.lease.fence === lease.fence) entry.renewedAt = askedAt;
    }
  } catch (error) {
    context.log.warn({ err: error }, "leases not renewed");
  }
  for (const { renewedAt, abort } of held.values()) {
    if (performance.now() - renewedAt > LEASE_MS) abort.abort();
  }
}

/** Gives a lease back together with the time of the next run, anew for as long as somebody changes that time meanwhile. */
function createGiveBack(db: Db): (lease: Lease) => Promise<void> {
  const nextRun = new Map(
    JOBS.map((job) => [
      job.name,
      inRounds(500, async (ids: readonly string[]): Promise<(NextRun | null)[]> => {
        const runs = await job.nextRuns(db, ids);
        return ids.map((id) => runs.get(id) ?? null);
      }),
    ]),
  );
  const release = inRounds(500, async (releases: readonly Release[]) => {
    const released = await releaseLeases(db, releases);
    return releases.map(({ subjectId }) => released.has(subjectId));
  });
  return async ({ job, subjectId, fence }) => {
    for (;;) {
      const next = await nextRun.get(job)?.(subjectId);
      if (!next) return;
      if (await release({ job, subjectId, fence, ...next })) return;
    }
  };
}

function keyOf({ job, subjectId }: { job: string; subjectId: string }): string {
  return `${job}/${subjectId}`;
}
