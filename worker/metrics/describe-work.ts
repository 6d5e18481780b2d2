import { laneOf, type Lane } from "../engine/lane.ts";
import type { LeaseKeeper } from "../engine/lease-keeper.ts";
import type { WakeQueue } from "../engine/queue.ts";
import type { Meters } from "./meters.ts";

interface Described {
  readonly leases: LeaseKeeper;
  readonly lanes: readonly Lane[];
  readonly queue: WakeQueue | null;
  readonly isQueueHealthy: () => boolean;
}

/** What is counted where it happens already, and read when somebody asks. */
export function describeWork(
  meters: Meters,
  { leases, lanes, queue, isQueueHealthy }: Described,
): void {
  meters.gauge("leases_held", "Subjects that this worker works on", () =>
    lanes.reduce((sum, lane) => sum + leases.held(laneOf(lane)), 0),
  );
  if (!queue) return;
  meters.gauge("queue_healthy", "Whether every lane of the queue delivers: 1 or 0", () =>
    isQueueHealthy() ? 1 : 0,
  );
  meters.count(
    "queue_ignored_hints_total",
    "Hints of no known form: of another version, or not ours",
    () => queue.ignoredHints(),
  );
}
