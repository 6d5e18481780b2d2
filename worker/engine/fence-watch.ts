import type { Context } from "../../shared/context.ts";
import { confirmFence, forgetWorker } from "../../shared/db/holds.ts";

const LOOK_EVERY_MS = 200;

/** Less than it takes until whoever starts a hold counts this worker as gone, and waits for it no longer. */
const BELIEVED_MS = 10_000;

/**
 * Follows the fence of the holds, and confirms it. Whoever starts a hold waits for this confirmation: it says that whatever this
 * process commits from now on was armed under that fence.
 */
export interface FenceWatch {
  /**
   * Whether no newer hold is known than the one that an attempt was armed under, and this process is known to be alive. Ask
   * immediately before the commit.
   */
  isCurrent(fence: number): boolean;
  /** Takes over a fence that came with some other answer. */
  observe(fence: number): void;
  stop(): Promise<void>;
}

export function watchFence({ db, log }: Context, workerId: string): FenceWatch {
  let newest = 0;
  let confirmedAtMs = -Infinity;
  const stopping = new AbortController();
  const observe = (fence: number): void => {
    newest = Math.max(newest, fence);
  };

  async function confirm(): Promise<void> {
    for (;;) {
      const confirmed = newest;
      const askedAtMs = performance.now();
      observe(await confirmFence(db, workerId, confirmed));
      confirmedAtMs = askedAtMs;
      if (newest === confirmed) return;
    }
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      await confirm().catch((error: unknown) => {
        // Without PostgreSQL nothing can be armed either: nothing goes out.
        log.warn({ err: error }, "the fence of the holds could not be read");
      });
      await new Promise((resolve) => {
        setTimeout(resolve, LOOK_EVERY_MS);
      });
    }
  }

  const done = loop();
  return {
    isCurrent: (fence) => fence >= newest && performance.now() - confirmedAtMs < BELIEVED_MS,
    observe,
    async stop() {
      stopping.abort();
      await done;
      await forgetWorker(db, workerId).catch((error: unknown) => {
        log.warn({ err: error }, "the worker could not sign off");
      });
    },
  };
}
