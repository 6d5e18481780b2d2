import type { Attention } from "./channel.ts";
import { WAIT_REASONS, type WaitReason } from "./wait.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** How long before its time a delivery is looked at, beside the looks that news of its channel causes. */
const LOOKS_AHEAD_MS = [24 * HOUR_MS, HOUR_MS, 5 * MINUTE_MS] as const;

/** Nothing is foretold of what is further away. */
export const FORETOLD_MS = LOOKS_AHEAD_MS[0];

/** What is due sooner goes out before anybody could act on a warning. */
export const TOO_NEAR_MS = MINUTE_MS;

/** When a delivery that was looked at is looked at again, UTC; null for not any more. */
export function nextPreflightAt(dueAt: Date, now: Date): Date | null {
  const looks = LOOKS_AHEAD_MS.map((aheadMs) => new Date(dueAt.getTime() - aheadMs));
  return looks.find((at) => at > now) ?? null;
}

/** Green: will go out. Amber: may be late or less than it should be. Red: will not go out unless somebody acts. */
export const LIGHTS = ["green", "amber", "red"] as const;
export type Light = (typeof LIGHTS)[number];

/** One thing that stands in the way. Ids and counts only: never post text. */
export interface Reason {
  readonly code: string;
  readonly light: Exclude<Light, "green">;
  readonly title: string;
  readonly nextStep: string;
}

export interface Forecast {
  readonly light: Light;
  readonly reasons: readonly Reason[];
}

/** A forecast as it is kept with its delivery. */
export interface Preflight extends Forecast {
  /** ISO 8601, UTC. */
  readonly checkedAt: string;
}

/** What a delivery depends on, as of one instant. */
export interface PreflightFacts {
  readonly dueAt: Date;
  readonly latestAt: Date;
  readonly now: Date;
  /** Why its channel needs a person. */
  readonly attention: Attention | null;
  readonly signInEndsAt: Date | null;
  readonly signInRenews: boolean;
  /** Nothing is published on the channel before; null for no wait. */
  readonly wait: { readonly until: Date; readonly reason: WaitReason } | null;
  readonly isPlatformOut: boolean;
  readonly isHeld: boolean;
  /** What would be sent is what was scheduled. */
  readonly isAsScheduled: boolean;
  /** What the content checks say today. */
  readonly findings: readonly PreflightFinding[];
  /** Files that are not there, or not as they were uploaded. */
  readonly brokenMediaIds: readonly string[];
  /** When the budgets of the channel and the app let it go; null for at its time. */
  readonly budgetFreeAt: Date | null;
  /** Another post goes out on the channel within seconds of it. */
  readonly hasNeighbour: boolean;
  /** What has become of the wall clock that was meant. */
  readonly wallClock: "as_meant" | "skipped" | "unknown_zone";
}

interface PreflightFinding {
  readonly rule: string;
  readonly severity: "error" | "warning";
  readonly because: string;
  readonly suggestion: string | null;
}

/** Everything that is looked at, in the order in which people read it. */
const CHECKS: readonly ((facts: PreflightFacts) => readonly Reason[])[] = [
  ofChannel,
  ofSignIn,
  ofPlatform,
  ofWait,
  ofHold,
  ofContent,
  ofMedia,
  ofBudget,
  ofNeighbours,
  ofWallClock,
];

/** Enough to act on; a thread of thirty parts could have a hundred. */
const MOST_REASONS = 20;

/** Foretells what becomes of a delivery. Pure: the same facts always have the same light. */
export function forecast(facts: PreflightFacts): Forecast {
  const reasons = CHECKS.flatMap((check) => check(facts)).slice(0, MOST_REASONS);
  const lights = reasons.map(({ light }) => light);
  const light = lights.includes("red") ? "red" : lights.includes("amber") ? "amber" : "green";
  return { light, reasons };
}

/** Told of by their own notices, when they begin. */
const TOLD_ALREADY = ["channel.needs_attention", "sign_in.ends", "hold.stands_in_the_way"];

/** Whether those who own the post should hear of it from the preflight. */
export function isNewsToOwners({ reasons }: Forecast): boolean {
  return reasons.some(({ light, code }) => light === "red" && !TOLD_ALREADY.includes(code));
}

function ofChannel({ attention }: PreflightFacts): readonly Reason[] {
  if (!attention) return [];
  return [red("channel.needs_attention", attention.title, attention.detail)];
}

function ofSignIn({ signInEndsAt, signInRenews, dueAt, now }: PreflightFacts): readonly Reason[] {
  if (signInEndsAt === null || signInEndsAt > dueAt) return [];
  if (!signInRenews) {
    const title = "The channel's sign-in ends before the post's time, and needs a person to renew";
    return [red("sign_in.ends", title, "Reconnect the channel before the post's time.")];
  }
  if (signInEndsAt > now) return [];
  const title = "The channel's sign-in has ended, and renewing it has not worked yet";
  const nextStep = "Postwell goes on trying. If it lasts, reconnect the channel.";
  return [amber("sign_in.renewal_late", title, nextStep)];
}

/** An outage that goes on now is likely to last for minutes, seldom for hours. */
const OUTAGE_LASTS_MS = 15 * MINUTE_MS;

function ofPlatform({ isPlatformOut, dueAt, now }: PreflightFacts): readonly Reason[] {
  if (!isPlatformOut) return [];
  const isNear = dueAt.getTime() - now.getTime() <= OUTAGE_LASTS_MS;
  const nextStep = isNear
    ? "If the post is urgent, publish it by hand elsewhere; here it goes out if the platform is back in time."
    : "Nothing to do yet. It is looked at again before its time.";
  const code = "platform.out";
  return [reason(isNear ? "red" : "amber", code, WAIT_REASONS.outage.title, nextStep)];
}

function ofWait({ wait, isPlatformOut, dueAt, latestAt }: PreflightFacts): readonly Reason[] {
  if (!wait || isPlatformOut || wait.until <= dueAt) return [];
  const { title, detail } = WAIT_REASONS[wait.reason];
  const isTooLong = wait.until > latestAt;
  const nextStep = isTooLong
    ? `The channel waits until ${iso(wait.until)}. Give the post a later time, or allow it to be later.`
    : `${detail} The post will be late, but in time.`;
  return [reason(isTooLong ? "red" : "amber", "channel.waits", title, nextStep)];
}

function ofHold({ isHeld }: PreflightFacts): readonly Reason[] {
  if (!isHeld) return [];
  const nextStep = "End the hold before the post's time, or give the post another time.";
  return [red("hold.stands_in_the_way", "A hold stops it at its time", nextStep)];
}

function ofContent({ isAsScheduled, findings }: PreflightFacts): readonly Reason[] {
  const changed = isAsScheduled
    ? []
    : [
        red(
          "content.not_as_scheduled",
          "What would be sent is not what was scheduled",
          "Look at the post, save it again, then schedule it again.",
        ),
      ];
  const found = findings.map(({ severity, rule, because, suggestion }) =>
    reason(severity === "error" ? "red" : "amber", rule, because, suggestion ?? "Edit the post."),
  );
  return [...changed, ...found];
}

function ofMedia({ brokenMediaIds }: PreflightFacts): readonly Reason[] {
  return brokenMediaIds.map((id) => {
    const title = `The file of the medium ${id} is missing or damaged`;
    const nextStep = "Upload the image again and put it into the post in place of this one.";
    return red("media.broken", title, nextStep);
  });
}

function ofBudget({ budgetFreeAt, latestAt }: PreflightFacts): readonly Reason[] {
  if (budgetFreeAt === null) return [];
  const isTooLate = budgetFreeAt > latestAt;
  const title = "More posts are planned before it than the platform allows in that time";
  const nextStep = isTooLate
    ? `Give this post, or some before it, another time: it could go out at ${iso(budgetFreeAt)} at the earliest.`
    : `It will go out at ${iso(budgetFreeAt)} at the earliest, which is late but in time.`;
  return [reason(isTooLate ? "red" : "amber", "budget.used_up", title, nextStep)];
}

function ofNeighbours({ hasNeighbour }: PreflightFacts): readonly Reason[] {
  if (!hasNeighbour) return [];
  const title = "Another post goes out on this channel at nearly the same time";
  return [amber("channel.crowded", title, "Give one of them a time some minutes apart.")];
}

function ofWallClock({ wallClock }: PreflightFacts): readonly Reason[] {
  if (wallClock === "as_meant") return [];
  const title =
    wallClock === "skipped"
      ? "By the zone's new rules the clocks skip the hour that was meant"
      : "The time zone that was meant is not known any more";
  return [
    amber("time.not_as_meant", title, "Give the post a new time. Until then the old one stays."),
  ];
}

function red(code: string, title: string, nextStep: string): Reason {
  return reason("red", code, title, nextStep);
}

function amber(code: string, title: string, nextStep: string): Reason {
  return reason("amber", code, title, nextStep);
}

function reason(light: Reason["light"], code: string, title: string, nextStep: string): Reason {
  return { code, light, title, nextStep };
}

function iso(time: Date): string {
  return `${time.toISOString().slice(0, 16)}Z`;
}
