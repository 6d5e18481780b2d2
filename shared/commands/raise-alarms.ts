import type { Context } from "../context.ts";
import { raiseOverdue } from "../db/overdue.ts";

/**
 * Raises the alarm for deliveries whose time has passed and that nothing works on. Asks PostgreSQL alone, so that it works without a
 * queue, and in every process, so that it works without a worker. Repeatable.
 * @returns how many alarms were raised
 */
export async function raiseAlarms({ db, config, log }: Context): Promise<number> {
  const raised = await raiseOverdue(db, config.overdueAfterMs);
  for (const { deliveryId, channelId, lateSeconds } of raised) {
    log.error(
      { deliveryId, channelId, lateSeconds },
      "delivery is overdue, and nothing works on it",
    );
  }
  return raised.length;
}
