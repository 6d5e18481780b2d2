import type { Count, Look } from "./demo-clock.ts";
import { momentOf } from "./moment.ts";
import type { Screen } from "./screen.ts";

const BAR_WIDTH = 16;
const DRAW_EVERY_MS = 200;
const WEEK_MS = 7 * 24 * 3_600_000;

/** Beyond this, somebody waits for a lease to end rather than for a worker. */
const LONG_WAIT_MS = 1_500;

/** Shows how far the demo is: a line that changes, or a line a week where that is not possible. */
export function createProgress(
  screen: Screen,
  planned: number,
  count: () => Promise<Count>,
): (look: Look) => Promise<void> {
  const startedMs = performance.now();
  let drawnMs = 0;
  let idleMs = startedMs;
  let toldAt = 0;
  return async (look) => {
    const nowMs = performance.now();
    if (look.isIdle) idleMs = nowMs;
    const line = async () =>
      `  ${progressLine({ ...look, ...(await count()) }, planned, nowMs - startedMs)}`;
    if (screen.isLive && nowMs - drawnMs >= DRAW_EVERY_MS) {
      drawnMs = nowMs;
      screen.live((await line()) + (nowMs - idleMs > LONG_WAIT_MS ? waitLine(look) : ""));
    }
    if (!screen.isLive && look.now.getTime() - toldAt >= WEEK_MS) {
      toldAt = look.now.getTime();
      screen.say(await line());
    }
  };
}

/** `Tue 02 Feb 08:14  ██████░░░░  12 of 205 published, 60 readings  3 s`. */
export function progressLine(
  { now, published, readings }: Pick<Look, "now"> & Count,
  planned: number,
  elapsedMs: number,
): string {
  const filled = Math.round((BAR_WIDTH * published) / Math.max(1, planned));
  const bar = "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
  const seconds = Math.round(elapsedMs / 1_000);
  return `${momentOf(now)}  ${bar}  ${published} of ${planned} published, ${readings} readings  ${seconds} s`;
}

function waitLine({ leasedForMs }: Look): string {
  const seconds = Math.ceil((leasedForMs ?? 0) / 1_000);
  return seconds > 0 ? `  (waiting: lease ends in ${seconds} s)` : "  (waiting)";
}
