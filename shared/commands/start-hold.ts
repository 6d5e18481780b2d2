import { v7 as uuidv7 } from "uuid";
import type { Actor, Context } from "../context.ts";
import { clock, inTransaction } from "../db/client.ts";
import { addEvents } from "../db/events.ts";
import { insertHold, workersBehind } from "../db/holds.ts";
import { findChannels } from "../db/post-references.ts";
import type { Hold, HoldScope } from "../domain/hold.ts";
import { AppError } from "../errors.ts";

/** Longer than a worker's right to publish lasts after it was last heard of. */
const CONFIRMED_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 50;

/**
 * Stops everything in a scope. Once committed, nothing in it can begin to go out; `awaitConfirmation` then waits for what
 * was about to.
 * @param input.endsAt UTC instant, later than now; null for never
 * @throws {AppError} invalid `post.unknown_channel`, `hold.ends_in_past`
 */
export async function startHold(
  { db }: Context,
  { workspaceId, tokenId }: Actor,
  input: { readonly scope: HoldScope; readonly reason: string; readonly endsAt: Date | null },
): Promise<Hold> {
  return inTransaction(db, async (tx) => {
    if (input.endsAt !== null && input.endsAt <= (await clock(tx))) {
      const detail = "The hold would have ended already. Choose a later time, or none.";
      throw new AppError("invalid", "hold.ends_in_past", detail, [
        { path: "endsAt", code: "hold.ends_in_past", detail },
      ]);
    }
    if (input.scope.kind === "channels") {
      const { channelIds } = input.scope;
      const known = await findChannels(tx, workspaceId, channelIds);
      const unknown = channelIds.findIndex((id) => !known.has(id));
      if (unknown >= 0) throw unknownChannel(channelIds[unknown] ?? "", unknown);
    }
    const id = uuidv7();
    await addEvents(tx, [{ workspaceId, type: "hold.started", subjectId: id }]);
    return insertHold(tx, { ...input, id, workspaceId, startedBy: tokenId });
  });
}

/**
 * Waits until no worker can still begin what was armed before the hold. Not inside a transaction.
 * @returns false where a worker neither confirmed nor went away in time
 */
export async function awaitConfirmation({ db }: Context, hold: Hold): Promise<boolean> {
  const end = performance.now() + CONFIRMED_WITHIN_MS;
  while ((await workersBehind(db, hold.fence)) > 0) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => {
      setTimeout(resolve, LOOK_EVERY_MS);
    });
  }
  return true;
}

function unknownChannel(id: string, index: number): AppError {
  const code = "post.unknown_channel";
  const detail = `There is no channel ${id}, or it was removed. Nothing was stopped.`;
  return new AppError("invalid", code, detail, [
    { path: `scope.channelIds.${index}`, code, detail },
  ]);
}
