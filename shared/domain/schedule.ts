import { DateTime, IANAZone } from "luxon";
import { AppError, type FieldError } from "../errors.ts";

/** When a post is to go out, as a person says it. */
export type When =
  | {
      readonly local: string;
      readonly zone: string;
      readonly repeated?: "earlier" | "later" | undefined;
    }
  | { readonly utc: string }
  | "now";

/** A moment with all that is needed to explain it, and to resolve it again when a zone's rules change. */
export interface Moment {
  readonly dueAt: Date;
  /** `2027-02-05T09:00`, or null for a bare instant. */
  readonly localTime: string | null;
  readonly zone: string | null;
  /** Version of the zone rules that were used. */
  readonly tzdb: string | null;
  /** Set where the clocks are turned back over that hour: which of the two was taken, and the other one. */
  readonly repeated: { readonly taken: "earlier" | "later"; readonly other: Date } | null;
}

const LOCAL_FORMAT = "yyyy-MM-dd'T'HH:mm";
const MAX_YEARS_AHEAD = 5;

/**
 * Resolves a wish into an instant.
 * @throws {AppError} invalid `schedule.unknown_zone`, `schedule.bad_time`, `schedule.time_skipped` (both neighbours in
 *   `facts`), `post.time_in_past`, `schedule.too_far`
 */
export function resolveWhen(when: When, now: Date): Moment {
  const moment =
    when === "now" ? bareMoment(now) : "utc" in when ? fromUtc(when.utc) : fromLocal(when);
  if (moment.dueAt < now) {
    throw refusal(
      "post.time_in_past",
      "at",
      `The time ${moment.dueAt.toISOString()} has passed. Choose a later one.`,
    );
  }
  if (moment.dueAt > yearsLater(now, MAX_YEARS_AHEAD)) {
    throw refusal(
      "schedule.too_far",
      "at",
      `The time is more than ${MAX_YEARS_AHEAD} years ahead.`,
    );
  }
  return moment;
}

/** The same wish so many minutes later, by the clock that goes on through changes of the hour. */
export function minutesLater(moment: Moment, minutes: number): Moment {
  const { dueAt, zone } = moment;
  const later = DateTime.fromJSDate(dueAt, { zone: zone ?? "utc" }).plus({ minutes });
  const localTime = zone === null ? null : later.toFormat(LOCAL_FORMAT);
  return { ...moment, dueAt: later.toJSDate(), localTime };
}

/** Version of the IANA time zone rules that this process uses. */
export const TZDB_VERSION: string = process.versions.tz ?? "unknown";

/** Editions of the rules are named in the order of their years and letters. */
const EDITION = /^\d{4}[a-z]+$/;

/** Whether a plan was resolved by older rules than this process has; false where that cannot be known. */
export function isByOlderRules(tzdb: string | null): boolean {
  if (tzdb === null || !EDITION.test(tzdb) || !EDITION.test(TZDB_VERSION)) return false;
  return tzdb < TZDB_VERSION;
}

/** What has become of a wall clock by the rules of today. */
export type WallClock =
  | { readonly is: "as_meant" }
  | { readonly is: "moved"; readonly dueAt: Date }
  /** The clocks skip the hour, or the zone is not known any more. */
  | { readonly is: "skipped" | "unknown_zone" };

/**
 * Resolves a wall clock once more, after the rules of its zone may have changed. Of an hour that comes twice, the instant that
 * was taken stays.
 */
export function resolveAgain(planned: {
  readonly localTime: string;
  readonly zone: string;
  readonly dueAt: Date;
}): WallClock {
  const { localTime, zone, dueAt } = planned;
  if (!IANAZone.isValidZone(zone)) return { is: "unknown_zone" };
  const resolved = atWallClock(localTime, zone);
  if (!resolved?.isValid || resolved.toFormat(LOCAL_FORMAT) !== localTime) return { is: "skipped" };
  const candidates = resolved.getPossibleOffsets().map((each) => each.toMillis());
  if (candidates.includes(dueAt.getTime())) return { is: "as_meant" };
  return { is: "moved", dueAt: new Date(Math.min(...candidates)) };
}

function bareMoment(dueAt: Date): Moment {
  return { dueAt, localTime: null, zone: null, tzdb: null, repeated: null };
}

function fromUtc(text: string): Moment {
  const parsed = DateTime.fromISO(text, { setZone: true });
  if (!parsed.isValid || !/(Z|[+-]\d\d:\d\d)$/.test(text)) {
    throw refusal("schedule.bad_time", "at.utc", "Give an instant such as 2027-02-05T15:00:00Z.");
  }
  return bareMoment(parsed.toJSDate());
}

function fromLocal(when: {
  local: string;
  zone: string;
  repeated?: "earlier" | "later" | undefined;
}): Moment {
  const { local, zone } = when;
  const isZone = isZoneName(zone);
  const asked = toMinute(local);
  // Where the zone is unknown, too, a time that is none anywhere is told with it.
  const resolved = atWallClock(asked, isZone ? zone : "UTC");
  if (!isZone || !resolved?.isValid) {
    throw refusals([
      ...(isZone ? [] : [unknownZone(zone)]),
      ...(resolved?.isValid ? [] : [BAD_TIME]),
    ]);
  }
  const wall = resolved.toFormat(LOCAL_FORMAT);
  if (wall !== asked) throw skipped(asked, zone, resolved);
  return withRepetition(resolved, asked, zone, when.repeated ?? "earlier");
}

/** Read by hand: an import of thousands of rows would feel the price of luxon's own parser. */
function atWallClock(local: string, zone: string): DateTime | null {
  const found = /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):([0-5]\d)$/.exec(local);
  if (!found) return null;
  const [year, month, day, hour, minute] = found.slice(1).map(Number);
  return DateTime.fromObject({ year, month, day, hour, minute }, { zone });
}

/**
 * Offsets such as +05:00 know no clock changes, and abbreviations such as CST mean different zones in different countries:
 * neither says what a person meant, although some releases of Node take them.
 */
function isZoneName(zone: string): boolean {
  return (
    (zone === "UTC" || /^[A-Z][\w+-]*(\/[A-Z][\w+-]*)+$/.test(zone)) && IANAZone.isValidZone(zone)
  );
}

/** Luxon takes either of two instants that have the same wall time; we look for both. */
function withRepetition(
  resolved: DateTime,
  localTime: string,
  zone: string,
  wish: "earlier" | "later",
): Moment {
  const candidates = [
    ...new Set(resolved.getPossibleOffsets().map((each) => each.toMillis())),
  ].sort((a, b) => a - b);
  const [earlier = resolved.toMillis(), later] = candidates;
  const stored = { localTime, zone, tzdb: TZDB_VERSION };
  if (later === undefined) return { dueAt: new Date(earlier), ...stored, repeated: null };
  const taken = wish === "earlier" ? earlier : later;
  const other = wish === "earlier" ? later : earlier;
  return { dueAt: new Date(taken), ...stored, repeated: { taken: wish, other: new Date(other) } };
}

/** The clocks jump over the asked hour: say so, and offer the last minute before and the first one after. */
function skipped(asked: string, zone: string, resolved: DateTime): AppError {
  // Luxon moves a skipped time forward by the gap, so the jump lies in the hours before.
  const after = firstAfterJump(resolved);
  const before = after.minus({ minutes: 1 });
  const neighbours = [before, after].map((time) => ({
    local: time.toFormat(LOCAL_FORMAT),
    utc: time.toUTC().toISO(),
  }));
  const detail = `${asked} does not exist in ${zone}: the clocks are put forward. The nearest times are ${neighbours.map(({ local }) => local).join(" and ")}.`;
  return new AppError("invalid", "schedule.time_skipped", detail, [
    { path: "at.local", code: "schedule.time_skipped", detail, facts: { neighbours } },
  ]);
}

function firstAfterJump(resolved: DateTime): DateTime {
  let time = resolved.startOf("minute");
  // No zone has ever jumped by more than a day.
  for (let minute = 0; minute < 24 * 60; minute += 1) {
    const previous = time.minus({ minutes: 1 });
    if (previous.offset !== time.offset) return time;
    time = previous;
  }
  return resolved;
}

function yearsLater(time: Date, years: number): Date {
  const later = new Date(time);
  later.setUTCFullYear(later.getUTCFullYear() + years);
  return later;
}

/** Seconds are accepted when they are zero: browsers and spreadsheets add them. */
function toMinute(local: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:00$/.test(local) ? local.slice(0, -3) : local;
}

const BAD_TIME: FieldError = {
  path: "at.local",
  code: "schedule.bad_time",
  detail: "Give a local time such as 2027-02-05T09:00.",
};

function unknownZone(zone: string): FieldError {
  const detail = `"${zone.slice(0, 60)}" is no IANA time zone. Use a name such as America/Chicago.`;
  return { path: "at.zone", code: "schedule.unknown_zone", detail };
}

function refusal(code: string, path: string, detail: string): AppError {
  return refusals([{ path, code, detail }]);
}

/** Named after the first. */
function refusals(fields: readonly FieldError[]): AppError {
  const [{ code, detail } = BAD_TIME] = fields;
  return new AppError("invalid", code, detail, fields);
}
