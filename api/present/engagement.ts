import type { DeliveryEngagementView } from "../../shared/contract/engagement.ts";
import type { ListedSnapshot } from "../../shared/queries/engagement.ts";

export function presentSnapshots(snapshots: readonly ListedSnapshot[]): DeliveryEngagementView {
  return {
    snapshots: snapshots.map(({ takenAt, metrics }) => {
      const reported = Object.entries(metrics).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value] as const],
      );
      return { takenAt: takenAt.toISOString(), metrics: Object.fromEntries(reported) };
    }),
  };
}
