import type { Db } from "../db/client.ts";
import type { NextRun } from "../db/outbox.ts";

/**
 * A kind of background work. A job always concerns one subject, and what is to be done is read from the database when it
 * runs: the outbox and the queue hold ids only, so a hint may be lost, repeated, early or stale without harm.
 */
export interface Job {
  /** Stored in the outbox and in queue names: a rename is a migration. */
  readonly name: string;
  /**
   * When each subject has something to do next, by the truth in its own tables; absent from the map for never. Runs in one
   * statement, together with the outbox's revision, so that a change made meanwhile is noticed.
   */
  nextRuns(db: Db, subjectIds: readonly string[]): Promise<ReadonlyMap<string, NextRun>>;
  /**
   * How many subjects of a platform one worker takes on at a time; absent for as many as it may. For what can wait: a thousand
   * posts that went out together are looked at again together, while others are to go out.
   */
  readonly atOnce?: number;
  /** Set where every worker looks for this work itself, so that a row that is not in the outbox yet is no fault. */
  readonly isLookedFor?: true;
}
