import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { DueDelivery } from "../../shared/db/deliveries.ts";

/** What one worker counts about itself. Labels hold platforms and closed lists only. */
export interface Meters {
  readonly register: Registry;
  /** An attempt was written: the post begins to go out. */
  armed(delivery: DueDelivery, now: Date): void;
  /** An attempt was answered. @param outcome `published`, `not_sent` or a kind of failure */
  answered(platform: string, outcome: string): void;
  /** A delivery was put back because a budget has nothing left. */
  waitedForBudget(platform: string, scope: string): void;
  /** A subject was taken over from a worker that died. */
  tookOver(): void;
  /** A lease of this worker ended before it had finished. */
  lostLease(): void;
  /** Counts how many items share a statement. */
  round<Item, Result>(
    name: string,
    run: (items: readonly Item[]) => Promise<readonly Result[]>,
  ): (items: readonly Item[]) => Promise<readonly Result[]>;
  /** How far this machine's clock is ahead of PostgreSQL's. */
  clockSkew(ms: number): void;
  /** Read when somebody asks. */
  gauge(name: string, help: string, read: () => number): void;
  /** The same of what only grows and is counted where it happens. @param read all since the start */
  count(name: string, help: string, read: () => number): void;
}

/** From "on the second" to "after an outage". */
const LATENESS_SECONDS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3_600];
const ROUND_ITEMS = [1, 2, 5, 10, 20, 50, 100, 200, 500];

export function createMeters(): Meters {
  const register = new Registry();
  const registers = [register];
  const lateness = new Histogram({
    name: "postwell_publish_lateness_seconds",
    help: "From a delivery's time to its first attempt",
    labelNames: ["platform"],
    buckets: LATENESS_SECONDS,
    registers,
  });
  const attempts = new Counter({
    name: "postwell_attempts_total",
    help: "Attempts by platform and outcome",
    labelNames: ["platform", "outcome"],
    registers,
  });
  const waits = new Counter({
    name: "postwell_budget_waits_total",
    help: "Deliveries that were put back because a budget had nothing left",
    labelNames: ["platform", "scope"],
    registers,
  });
  const rounds = new Histogram({
    name: "postwell_round_items",
    help: "How many items shared a statement",
    labelNames: ["round"],
    buckets: ROUND_ITEMS,
    registers,
  });
  const takenOver = new Counter({
    name: "postwell_leases_taken_over_total",
    help: "Subjects taken over from a worker whose lease had ended",
    registers,
  });
  const lost = new Counter({
    name: "postwell_leases_lost_total",
    help: "Leases of this worker that ended before it had finished",
    registers,
  });
  const skew = new Gauge({
    name: "postwell_clock_skew_seconds",
    help: "How far this process's clock is ahead of PostgreSQL's; negative when behind",
    registers,
  });
  return {
    register,
    armed({ platform, dueAt, wasAttempted, receipts }, now) {
      // Later attempts say how long a platform was away, not how late we were.
      if (wasAttempted || receipts.length > 0) return;
      lateness.observe({ platform }, Math.max(0, now.getTime() - dueAt.getTime()) / 1_000);
    },
    answered: (platform, outcome) => attempts.inc({ platform, outcome }),
    waitedForBudget: (platform, scope) => waits.inc({ platform, scope }),
    tookOver: () => takenOver.inc(),
    lostLease: () => lost.inc(),
    round: (name, run) => (items) => {
      rounds.observe({ round: name }, items.length);
      return run(items);
    },
    clockSkew: (ms) => skew.set(ms / 1_000),
    gauge(name, help, read) {
      const gauge: Gauge = new Gauge({
        name: `postwell_${name}`,
        help,
        registers,
        collect: () => gauge.set(read()),
      });
    },
    count(name, help, read) {
      let told = 0;
      const counter: Counter = new Counter({
        name: `postwell_${name}`,
        help,
        registers,
        collect() {
          const now = read();
          counter.inc(now - told);
          told = now;
        },
      });
    },
  };
}
