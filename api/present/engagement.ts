import type { DeliveryEngagementView } from "../../shared/contract/engagement.ts";
import type { Readings } from "../../shared/queries/engagement.ts";

export function presentReadings({ snapshots, error }: Readings): DeliveryEngagementView {
  return {
    error,
    snapshots: snapshots.map(({ takenAt, metrics }) => {
      const reported = Object.entries(metrics).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value] as const],
      );
      return { takenAt: takenAt.toISOString(), metrics: Object.fromEntries(reported) };
    }),
  };
}
