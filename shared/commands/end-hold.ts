import type { Actor, Context } from "../context.ts";
import { clock, inTransaction } from "../db/client.ts";
import { addEvents } from "../db/events.ts";
import { endHold as storeEnd, findHold } from "../db/holds.ts";
import { isActive } from "../domain/hold.ts";
import { AppError } from "../errors.ts";

/**
 * Ends a hold. This publishes nothing: what came due meanwhile stays held until a person gives it a time or cancels it.
 * @throws {AppError} not_found `hold.missing`; conflict `hold.ended`
 */
export async function endHold(
  { db }: Context,
  { workspaceId, tokenId }: Actor,
  { holdId }: { readonly holdId: string },
): Promise<void> {
  await inTransaction(db, async (tx) => {
    const hold = await findHold(tx, workspaceId, holdId);
    if (!hold) throw holdMissing();
    const hasEnded = !isActive(hold, await clock(tx)) || !(await storeEnd(tx, holdId, tokenId));
    if (hasEnded) throw new AppError("conflict", "hold.ended", "This hold has ended already.");
    await addEvents(tx, [{ workspaceId, type: "hold.ended", subjectId: holdId }]);
  });
}

export function holdMissing(): AppError {
  return new AppError("not_found", "hold.missing", "There is no such hold.");
}
