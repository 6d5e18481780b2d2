import { FAILURES, needsPerson, type FailureKind } from "./failure.ts";
import { toldTime } from "./retry.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** When a receipt is checked, after publication. A minute catches our mistakes, a day other people's. */
const CHECKED_AFTER_MS = [MINUTE_MS, 24 * HOUR_MS] as const;

export const [FIRST_READ_BACK_MS] = CHECKED_AFTER_MS;

/** A younger post may be on its way to the servers that we read from: not seeing it proves nothing. */
const MAY_APPEAR_FOR_MS = 10 * MINUTE_MS;
const LOOK_AGAIN_MS = 3 * MINUTE_MS;

/** Pauses between looks that failed; after the last one the check is given up. */
const BACK_OFF_MS = [
  MINUTE_MS,
  5 * MINUTE_MS,
  15 * MINUTE_MS,
  HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
] as const;

/** What a check found. `missing`: gone or not visible, which from outside look the same. */
export const VERDICTS = ["matches", "differs", "missing", "unreadable"] as const;

export type Verdict = (typeof VERDICTS)[number];

export const DIFFERENCES = ["missing", "text", "media_count", "alt_text"] as const;

/** Where and in what a post is not as it was sent. Says nothing of what the platform shows instead. */
export interface Difference {
  /** From 0. */
  readonly part: number;
  readonly what: (typeof DIFFERENCES)[number];
}

/** A part as it was sent. */
export interface CheckedPart {
  readonly part: number;
  readonly remoteId: string;
  /** One a medium, in order; empty where there is none. */
  readonly altTexts: readonly string[];
}

/** A published part as the platform shows it. What the platform does not tell is null, and is not compared. */
export interface ShownPart {
  /** Whether these are the words that were sent, once what the platform itself rewrites is undone. */
  readonly hasSameText: boolean | null;
  readonly mediaCount: number | null;
  /** One a medium, in order; empty where there is none. */
  readonly altTexts: readonly string[] | null;
}

/** Compares part by part. `shown` is by remote id. */
export function differencesOf(
  parts: readonly CheckedPart[],
  shown: ReadonlyMap<string, ShownPart>,
): Difference[] {
  return parts.flatMap((sent) => {
    const found = shown.get(sent.remoteId);
    const kinds = found ? differingIn(sent, found) : (["missing"] as const);
    return kinds.map((what) => ({ part: sent.part, what }));
  });
}

export function verdictOf(differences: readonly Difference[]): Exclude<Verdict, "unreadable"> {
  if (differences.some(({ what }) => what === "missing")) return "missing";
  return differences.length > 0 ? "differs" : "matches";
}

/** When to look once more before a post is called missing; null where it is old enough to be believed. */
export function doubtUntil(publishedAt: Date, now: Date): Date | null {
  const ageMs = now.getTime() - publishedAt.getTime();
  return ageMs < MAY_APPEAR_FOR_MS ? new Date(now.getTime() + LOOK_AGAIN_MS) : null;
}

/** The first check that lies ahead; null after the last one. */
export function nextReadBackAt(publishedAt: Date, now: Date): Date | null {
  const times = CHECKED_AFTER_MS.map((ms) => new Date(publishedAt.getTime() + ms));
  return times.find((time) => time > now) ?? null;
}

/**
 * When to look again after a look that failed; null where that is given up: the platform refuses, or was asked often enough.
 * `tries` counts failed looks of this check before this one.
 */
export function afterFailedReadBack(failed: {
  readonly kind: FailureKind;
  readonly until: Date | null;
  readonly tries: number;
  readonly now: Date;
}): Date | null {
  const { retry } = FAILURES[failed.kind];
  const pauseMs = BACK_OFF_MS[failed.tries];
  if (needsPerson(failed.kind) || pauseMs === undefined) return null;
  if (retry === "when_told") return toldTime(failed.until, failed.now);
  return new Date(failed.now.getTime() + pauseMs);
}

/** Whether a failed look at several posts may be the fault of one of them, so that each must be looked at alone. */
export function mayBlameOnePost(kind: FailureKind): boolean {
  return FAILURES[kind].retry === "person";
}

function differingIn(
  { altTexts }: CheckedPart,
  shown: ShownPart,
): Exclude<Difference["what"], "missing">[] {
  const hasOtherCount = shown.mediaCount !== null && shown.mediaCount !== altTexts.length;
  // Where media are gone, the alt texts of the others cannot be told apart.
  const hasOtherAltTexts =
    !hasOtherCount &&
    shown.altTexts !== null &&
    altTexts.some((text, index) => plain(text) !== plain(shown.altTexts?.[index] ?? ""));
  return [
    ...(shown.hasSameText === false ? (["text"] as const) : []),
    ...(hasOtherCount ? (["media_count"] as const) : []),
    ...(hasOtherAltTexts ? (["alt_text"] as const) : []),
  ];
}

/** Platforms trim alt texts and change their white space; nobody hears that. */
function plain(text: string): string {
  return text.normalize("NFC").replace(/\s+/g, " ").trim();
}
