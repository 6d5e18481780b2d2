/** How a lost answer is looked for. */
export interface LookRules {
  /** How long a published post may stay invisible. */
  readonly visibilityLagMs: number;
  /** How long after arming the same commit may be sent again without harm. */
  readonly repeatableForMs: number;
  /** Whether a complete look that finds nothing proves that nothing was published. */
  readonly canProveAbsence: boolean;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Nothing shows up faster than this, whatever a platform promises. */
const SHORTEST_LAG_MS = 5 * SECOND;

/** Pauses between looks that failed themselves; after the last one a person decides. */
const LOOK_AGAIN_MS = [15 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE];

/** Clean looks in vain before the post counts as not published, one visibility lag apart. */
const LOOKS_IN_VAIN = 2;

/** When to look first. `sureToHaveEnded` is the time after which the request cannot be under way any more. */
export function firstLookAt(sureToHaveEnded: Date, rules: LookRules): Date {
  return plus(sureToHaveEnded, lagMs(rules));
}

export type AfterLook =
  /** The platform does not have it: sending again is safe. */
  | { readonly next: "send_again" }
  | { readonly next: "look_again"; readonly at: Date; readonly looks: number }
  /** We cannot find out: a person looks and decides. */
  | { readonly next: "ask_person" };

export interface LookInVain {
  /** Such looks before this one. */
  readonly looks: number;
  readonly armedAt: Date;
  readonly now: Date;
  /** The platform says that the post is there, and does not show it: sending again would only be refused again. */
  readonly wasCalledDuplicate: boolean;
}

/** After a complete look that did not find the post. */
export function afterLookInVain(
  { looks, armedAt, now, wasCalledDuplicate }: LookInVain,
  rules: LookRules,
): AfterLook {
  if (now.getTime() - armedAt.getTime() < rules.repeatableForMs) return { next: "send_again" };
  if (!rules.canProveAbsence || wasCalledDuplicate) return { next: "ask_person" };
  if (looks + 1 >= LOOKS_IN_VAIN) return { next: "send_again" };
  return { next: "look_again", at: plus(now, lagMs(rules)), looks: looks + 1 };
}

/** After a look that failed itself. `failedLooks` counts such looks before this one. */
export function afterFailedLook(failedLooks: number, now: Date): Date | null {
  const pauseMs = LOOK_AGAIN_MS[failedLooks];
  return pauseMs === undefined ? null : plus(now, pauseMs);
}

function lagMs(rules: LookRules): number {
  return Math.max(SHORTEST_LAG_MS, rules.visibilityLagMs);
}

function plus(time: Date, ms: number): Date {
  return new Date(time.getTime() + ms);
}
