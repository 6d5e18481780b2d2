import type { Actor, Context } from "../context.ts";
import { countWaiting, forgetChannel, lockChannel } from "../db/channels.ts";
import { inTransaction } from "../db/client.ts";
import { addEvents } from "../db/events.ts";
import { AppError } from "../errors.ts";

/**
 * Takes a channel away and forgets its credentials. What it has published stays in the records.
 * @throws {AppError} not_found `channel.missing`; conflict `channel.in_use`
 */
export async function removeChannel(
  { db }: Context,
  { workspaceId }: Actor,
  channelId: string,
): Promise<void> {
  await inTransaction(db, async (tx) => {
    await lockChannel(tx, workspaceId, channelId);
    const waiting = await countWaiting(tx, channelId);
    if (waiting > 0) {
      throw new AppError(
        "conflict",
        "channel.in_use",
        `${waiting} ${waiting === 1 ? "delivery waits" : "deliveries wait"} for this channel. Cancel or settle them first.`,
      );
    }
    await forgetChannel(tx, channelId);
    await addEvents(tx, [{ workspaceId, type: "channel.removed", subjectId: channelId }]);
  });
}
