import type { Context } from "../../shared/context.ts";
import type { Lease } from "../../shared/db/outbox.ts";

/** What a handler is given: the right to work on one subject, for as long as it lasts. */
export interface Work {
  readonly context: Context;
  readonly lease: Lease;
  /** Aborted when the lease is lost or the process is asked to stop: finish the step in hand, begin none. */
  readonly signal: AbortSignal;
  /**
   * Whether the lease surely still holds, by a clock that goes on while the process is frozen. To be asked immediately
   * before anything that cannot be taken back.
   */
  isSurelyHeld(): boolean;
}

/** Does all that is due for the subject of a lease. Must stand being run twice, and being killed anywhere. */
export type Handler = (work: Work) => Promise<void>;
