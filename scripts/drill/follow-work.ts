import { setTimeout as delay } from "node:timers/promises";
import type { Scene } from "./scene.ts";

/** Whether anything is being published at the moment. */
export interface WorkInProgress {
  /** Resolves when posts have come in lately; after a while in any case, so that nothing waits for ever. */
  isGoingOn(): Promise<void>;
}

const LOOK_EVERY_MS = 250;
const LATELY_MS = 1_000;
const WAIT_AT_MOST_MS = 25_000;

export function followWork({ stage }: Scene, signal: AbortSignal): WorkInProgress {
  let grewAt = 0;
  async function follow(): Promise<void> {
    let known = 0;
    while (!signal.aborted && !stage.signal.aborted) {
      const count = await stage.platforms.count().catch(() => known);
      if (count > known) grewAt = performance.now();
      known = count;
      await pause();
    }
  }
  const pause = () =>
    delay(LOOK_EVERY_MS, undefined, { signal: stage.signal }).catch(() => undefined);
  void follow();
  return {
    async isGoingOn() {
      const end = performance.now() + WAIT_AT_MOST_MS;
      while (performance.now() < end && !stage.signal.aborted) {
        if (performance.now() - grewAt < LATELY_MS) return;
        await pause();
      }
    },
  };
}
