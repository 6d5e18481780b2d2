import { clock, type Db } from "../db/client.ts";
import { countHeld, findHold, leakedPast, workersBehind, type Leaked } from "../db/holds.ts";
import { isActive, type Hold } from "../domain/hold.ts";

/** A hold with what it did. */
export interface HoldReport {
  readonly hold: Hold;
  readonly isActive: boolean;
  readonly held: number;
  readonly alreadySending: readonly Leaked[];
  readonly isConfirmed: boolean;
}

/** @returns undefined where the workspace has no such hold */
export async function reportHold(
  db: Db,
  workspaceId: string,
  holdId: string,
): Promise<HoldReport | undefined> {
  const hold = await findHold(db, workspaceId, holdId);
  return hold && describeHold(db, hold);
}

export async function describeHold(db: Db, hold: Hold): Promise<HoldReport> {
  return {
    hold,
    isActive: isActive(hold, await clock(db)),
    held: await countHeld(db, hold),
    alreadySending: await leakedPast(db, hold),
    isConfirmed: (await workersBehind(db, hold.fence)) === 0,
  };
}
