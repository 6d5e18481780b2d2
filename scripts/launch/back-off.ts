const FIRST_WAIT_MS = 500;
/** A store that is back must not wait for us much longer; a start that fails costs half a second of work. */
const LONGEST_WAIT_MS = 5_000;
const STEADY_MS = 60_000;

/** How long to wait before a process that has ended begins its next life. */
export interface BackOff {
  /** A life has begun. */
  started(): void;
  /** Doubles from life to life, and begins anew after a steady one. */
  nextMs(): number;
}

export function backOff(nowMs: () => number = () => performance.now()): BackOff {
  let waitMs = FIRST_WAIT_MS / 2;
  let startedMs = nowMs();
  return {
    started: () => {
      startedMs = nowMs();
    },
    nextMs: () => {
      const wasSteady = nowMs() - startedMs > STEADY_MS;
      waitMs = wasSteady ? FIRST_WAIT_MS : Math.min(waitMs * 2, LONGEST_WAIT_MS);
      return waitMs;
    },
  };
}
