import { bulkhead, type BulkheadPolicy } from "cockatiel";
import type { Context } from "../../shared/context.ts";
import { takeForQueue, leaseDue, leaseSubjects, type LeaseAnswer } from "../../shared/db/outbox.ts";
import { inRounds } from "../../shared/db/rounds.ts";
import { JOBS } from "../../shared/jobs/registry.ts";
import { LEASE_MS, type LeaseKeeper } from "./lease-keeper.ts";
import { laneOf, type Lane } from "./lane.ts";
import type { WakeQueue } from "./queue.ts";

/** A hint that has not led to work for this long is taken for lost. */
const STALE_MS = 5_000;

/** One transaction's worth of hints. */
const HAND_OVER_LIMIT = 1_000;

/** A hint that comes this much early, because Redis or this machine counts faster than PostgreSQL, is waited for. */
const EARLY_LIMIT_MS = 5_000;

/** Finds what is due, by hints from the queue or by looking into PostgreSQL, and has it run. */
export interface Dispatcher {
  readonly onHint: (lane: Lane, subjectId: string) => Promise<void>;
  /** One look: hands over what comes into the horizon, and leases what nobody else was woken for. */
  look(queue: WakeQueue | null): Promise<void>;
  /** From now on hints are passed over; the outbox has what they meant. */
  stop(): void;
}

export function createDispatcher(
  context: Context,
  { worker, leases, lanes }: { worker: string; leases: LeaseKeeper; lanes: readonly Lane[] },
): Dispatcher {
  const holder = { worker, leaseMs: LEASE_MS };
  const { db, config } = context;
  const rooms = lanes.map((lane) => roomOf(lane, config.concurrency));
  const roomFor = new Map(rooms.map((room) => [room.lane, room]));
  let isStopping = false;
  const leaseNamed = new Map(
    JOBS.map((job) => [
      job.name,
      inRounds(200, (ids: readonly string[]) =>
        leaseOnce(ids, (unique) => leaseSubjects(db, holder, job.name, unique)),
      ),
    ]),
  );
  async function leaseOverdue(queue: WakeQueue | null): Promise<void> {
    const open = rooms.map(({ lane, atOnce }) => ({
      lane,
      lagMs: queue?.isHealthy(lane) === true ? STALE_MS : 0,
      free: atOnce - leases.held(lane),
    }));
    for (;;) {
      const askedAtMs = performance.now();
      const found = await leaseDue(
        db,
        holder,
        open.filter(({ free }) => free > 0),
      );
      for (const lease of found) void leases.run(lease, askedAtMs);
      if (found.length === 0) return;
      for (const each of open) {
        each.free -= found.filter((lease) => laneOf(lease) === each.lane).length;
      }
    }
  }

  async function promote(queue: WakeQueue): Promise<void> {
    const { horizonMs } = config;
    const healthy = rooms.map(({ lane }) => lane).filter((lane) => queue.isHealthy(lane));
    const options = { horizonMs, staleMs: STALE_MS, limit: HAND_OVER_LIMIT, lanes: healthy };
    let added = Promise.resolve();
    for (;;) {
      // The next are read while Redis takes the last.
      const [hints] = await Promise.all([takeForQueue(db, options), added]);
      if (hints.length === 0) return;
      added = queue.add(hints);
      if (hints.length < HAND_OVER_LIMIT) return added;
    }
  }

  async function followHint(job: string, subjectId: string): Promise<void> {
    if (isStopping) return;
    let askedAtMs = performance.now();
    let answer = await leaseNamed.get(job)?.(subjectId);
    if (answer && !("lease" in answer) && isSlightlyEarly(answer.earlyMs)) {
      await pause(answer.earlyMs);
      askedAtMs = performance.now();
      answer = await leaseNamed.get(job)?.(subjectId);
    }
    // Otherwise it is moved, done, or in somebody's hands: a hint may be wrong.
    if (answer && "lease" in answer) await leases.run(answer.lease, askedAtMs);
  }

  return {
    async onHint(lane, subjectId) {
      await roomFor.get(laneOf(lane))?.gate.execute(() => followHint(lane.job, subjectId));
    },
    stop() {
      isStopping = true;
    },
    async look(queue) {
      if (queue) {
        await promote(queue).catch((error: unknown) => {
          context.log.warn({ err: error }, "due work was not handed to the queue");
        });
      }
      await leaseOverdue(queue);
    },
  };
}

/** How much of a lane's work this worker takes on at a time. */
interface Room {
  /** As `job/lane`. */
  readonly lane: string;
  readonly atOnce: number;
  readonly gate: BulkheadPolicy;
}

function roomOf(lane: Lane, concurrency: number): Room {
  const wanted = JOBS.find(({ name }) => name === lane.job)?.atOnce ?? concurrency;
  const atOnce = Math.min(wanted, concurrency);
  // The queue gives out no more hints than that at a time, so nothing is turned away.
  return { lane: laneOf(lane), atOnce, gate: bulkhead(atOnce, concurrency) };
}

/** The same subject may be hinted at twice in a round, but only one of them can have the lease. */
async function leaseOnce(
  ids: readonly string[],
  lease: (unique: readonly string[]) => Promise<LeaseAnswer[]>,
): Promise<LeaseAnswer[]> {
  const answers = new Map(
    (await lease([...new Set(ids)])).map((answer) => [answer.subjectId, answer]),
  );
  return ids.map((subjectId) => {
    const answer = answers.get(subjectId) ?? { subjectId, earlyMs: null };
    answers.delete(subjectId);
    return answer;
  });
}

function isSlightlyEarly(earlyMs: number | null): earlyMs is number {
  return earlyMs !== null && earlyMs <= EARLY_LIMIT_MS;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.ceil(ms));
  });
}
