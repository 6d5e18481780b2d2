import { collectDefaultMetrics, Registry } from "prom-client";
import type { Context } from "../../shared/context.ts";
import type { QueueState } from "../admin/queue-state.ts";
import { databaseGauges } from "./database-gauges.ts";
import { addGauge, fillOrClear, type GaugeGroup } from "./gauge-group.ts";

/** What is written for Prometheus when it asks. */
export interface Metrics {
  readonly contentType: string;
  read(): Promise<string>;
}

/** @param queue null in direct mode */
export function createMetrics(context: Context, queue: QueueState | null): Metrics {
  // A registry of its own: the library's shared one would mix what several apps in a process report.
  const register = new Registry();
  collectDefaultMetrics({ register });
  const databaseUp = addGauge(register, "database_up", "Whether PostgreSQL answers: 1 or 0");
  const ofDatabase = databaseGauges(register, context);
  const ofQueue = queue && queueGauges(register, queue);
  return {
    contentType: register.contentType,
    async read() {
      const [, ...filled] = await Promise.all([
        ofQueue && fillOrClear(ofQueue),
        ...ofDatabase.map(fillOrClear),
      ]);
      databaseUp.set(filled.every(Boolean) ? 1 : 0);
      return register.metrics();
    },
  };
}

function queueGauges(register: Registry, queue: QueueState): GaugeGroup {
  const up = addGauge(register, "queue_up", "Whether Redis answers: 1 or 0");
  const hints = addGauge(register, "queue_hints", "Hints in the queue", ["queue", "state"]);
  const silent = addGauge(
    register,
    "queue_silent_lanes",
    "Lanes of the queue that deliver no hints; workers look into PostgreSQL for these",
  );
  return {
    gauges: [up, hints, silent],
    async fill() {
      const [depths, silentLanes] = await Promise.all([queue.depths(), queue.silentLanes()]);
      up.set(depths === null ? 0 : 1);
      for (const { queue: name, state, count } of depths ?? []) {
        hints.set({ queue: name, state }, count);
      }
      if (silentLanes === null) silent.remove({});
      else silent.set(silentLanes.length);
    },
  };
}
