import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { DateTime } from "luxon";
import {
  isByOlderRules,
  resolveAgain,
  resolveWhen,
  type When,
} from "../../shared/domain/schedule.ts";
import { AppError } from "../../shared/errors.ts";

const now = new Date("2026-12-01T00:00:00Z");

function dueAt(local: string, zone: string, repeated?: "earlier" | "later"): string {
  return resolveWhen({ local, zone, repeated }, now).dueAt.toISOString();
}

function refusalOf(when: When, at = now): AppError {
  try {
    resolveWhen(when, at);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("It was not refused.");
}

describe("an ordinary local time", () => {
  test.each([
    ["2027-02-05T09:00", "America/Chicago", "2027-02-05T15:00:00.000Z"],
    ["2027-03-15T09:00", "America/Chicago", "2027-03-15T14:00:00.000Z"],
    ["2027-03-15T09:00", "America/Phoenix", "2027-03-15T16:00:00.000Z"],
    ["2027-01-15T09:00", "Australia/Sydney", "2027-01-14T22:00:00.000Z"],
    ["2027-07-15T09:00", "Australia/Sydney", "2027-07-14T23:00:00.000Z"],
    ["2027-01-15T09:00", "Australia/Lord_Howe", "2027-01-14T22:00:00.000Z"],
    ["2027-07-15T09:00", "Australia/Lord_Howe", "2027-07-14T22:30:00.000Z"],
    ["2027-07-15T09:00", "Asia/Kathmandu", "2027-07-15T03:15:00.000Z"],
    ["2028-02-29T09:00", "UTC", "2028-02-29T09:00:00.000Z"],
  ])("%s in %s is %s", (local, zone, utc) => {
    expect(dueAt(local, zone)).toBe(utc);
  });

  test("keeps the wall clock, the zone and the version of the rules", () => {
    const when = { local: "2027-02-05T09:00", zone: "America/Chicago" };

    const moment = resolveWhen(when, now);

    expect(moment).toMatchObject({ localTime: when.local, zone: when.zone, repeated: null });
    expect(moment.tzdb).toMatch(/^\d{4}[a-z]$/);
  });

  test("takes zero seconds, which browsers add, and no others", () => {
    expect(dueAt("2027-02-05T09:00:00", "UTC")).toBe("2027-02-05T09:00:00.000Z");
    expect(refusalOf({ local: "2027-02-05T09:00:30", zone: "UTC" }).code).toBe("schedule.bad_time");
  });
});

describe("an hour that the clocks skip", () => {
  test.each([
    ["America/Chicago", "2027-03-14T02:30", "2027-03-14T01:59", "2027-03-14T03:00"],
    ["America/Chicago", "2027-03-14T02:00", "2027-03-14T01:59", "2027-03-14T03:00"],
    ["America/Chicago", "2027-03-14T02:59", "2027-03-14T01:59", "2027-03-14T03:00"],
    ["Europe/Berlin", "2027-03-28T02:15", "2027-03-28T01:59", "2027-03-28T03:00"],
    ["Australia/Sydney", "2027-10-03T02:30", "2027-10-03T01:59", "2027-10-03T03:00"],
    ["Australia/Lord_Howe", "2027-10-03T02:15", "2027-10-03T01:59", "2027-10-03T02:30"],
    ["America/Santiago", "2027-09-05T00:30", "2027-09-04T23:59", "2027-09-05T01:00"],
  ])("in %s %s is refused, with %s and %s offered", (zone, local, before, after) => {
    const refusal = refusalOf({ local, zone });

    expect(refusal).toMatchObject({ kind: "invalid", code: "schedule.time_skipped" });
    const [field] = refusal.fields;
    const utc = (time: string) => DateTime.fromISO(time, { zone }).toUTC().toISO();
    expect(field?.facts).toEqual({
      neighbours: [
        { local: before, utc: utc(before) },
        { local: after, utc: utc(after) },
      ],
    });
  });

  test("a day that a zone skipped as a whole offers the days around it", () => {
    const when = { local: "2011-12-30T12:00", zone: "Pacific/Apia" };

    const refusal = refusalOf(when, new Date("2011-12-01T00:00:00Z"));

    expect(refusal.fields[0]?.facts).toMatchObject({
      neighbours: [{ local: "2011-12-29T23:59" }, { local: "2011-12-31T00:00" }],
    });
  });

  test.each([
    ["America/Chicago", "2027-03-14T01:59", "2027-03-14T07:59:00.000Z"],
    ["America/Chicago", "2027-03-14T03:00", "2027-03-14T08:00:00.000Z"],
    ["America/Phoenix", "2027-03-14T02:30", "2027-03-14T09:30:00.000Z"],
  ])("in %s %s exists: it is %s", (zone, local, utc) => {
    expect(dueAt(local, zone)).toBe(utc);
  });
});

describe("an hour that the clocks repeat", () => {
  test.each([
    ["America/Chicago", "2027-11-07T01:30", "2027-11-07T06:30:00.000Z", "2027-11-07T07:30:00.000Z"],
    ["America/Chicago", "2027-11-07T01:00", "2027-11-07T06:00:00.000Z", "2027-11-07T07:00:00.000Z"],
    ["Europe/Berlin", "2027-10-31T02:30", "2027-10-31T00:30:00.000Z", "2027-10-31T01:30:00.000Z"],
    [
      "Australia/Sydney",
      "2027-04-04T02:30",
      "2027-04-03T15:30:00.000Z",
      "2027-04-03T16:30:00.000Z",
    ],
    [
      "Australia/Lord_Howe",
      "2027-04-04T01:45",
      "2027-04-03T14:45:00.000Z",
      "2027-04-03T15:15:00.000Z",
    ],
  ])("in %s %s is %s, or %s where the later one is meant", (zone, local, earlier, later) => {
    const asked = (repeated?: "earlier" | "later") => resolveWhen({ local, zone, repeated }, now);

    expect(asked().dueAt.toISOString()).toBe(earlier);
    expect(asked("earlier").dueAt.toISOString()).toBe(earlier);
    expect(asked("later").dueAt.toISOString()).toBe(later);
    expect(asked().repeated).toEqual({ taken: "earlier", other: new Date(later) });
    expect(asked("later").repeated).toEqual({ taken: "later", other: new Date(earlier) });
  });

  test.each([
    ["America/Chicago", "2027-11-07T00:59"],
    ["America/Chicago", "2027-11-07T02:00"],
    ["America/Phoenix", "2027-11-07T01:30"],
    ["Australia/Lord_Howe", "2027-04-04T01:29"],
    ["Australia/Lord_Howe", "2027-04-04T02:00"],
  ])("in %s %s happens once", (zone, local) => {
    expect(resolveWhen({ local, zone }, now).repeated).toBeNull();
  });

  test("the later one may still lie ahead when the earlier one has passed", () => {
    const between = new Date("2027-11-07T07:00:00Z");
    const when = { local: "2027-11-07T01:30", zone: "America/Chicago" };

    expect(refusalOf(when, between).code).toBe("post.time_in_past");
    expect(resolveWhen({ ...when, repeated: "later" }, between).dueAt.toISOString()).toBe(
      "2027-11-07T07:30:00.000Z",
    );
  });
});

describe("an instant", () => {
  test("may have any offset", () => {
    const moment = resolveWhen({ utc: "2027-02-05T09:00:00-06:00" }, now);

    expect(moment.dueAt.toISOString()).toBe("2027-02-05T15:00:00.000Z");
    expect(moment).toMatchObject({ localTime: null, zone: null, tzdb: null });
  });

  test.each(["2027-02-05T09:00:00", "tomorrow", "2027-02-30T09:00:00Z", "", "2027-02-05"])(
    "is not %p",
    (utc) => {
      expect(refusalOf({ utc })).toMatchObject({ code: "schedule.bad_time" });
      expect(refusalOf({ utc }).fields[0]?.path).toBe("at.utc");
    },
  );

  test("is now where now is asked for", () => {
    expect(resolveWhen("now", now).dueAt).toEqual(now);
  });
});

describe("what makes no sense", () => {
  test.each([
    "Mars/Olympus",
    "",
    "America/Chicag0",
    "UTC+3",
    "CST6CDT4",
    "+05:00",
    "CST",
    "EST5EDT",
    "america/chicago",
  ])("the zone %p is unknown", (zone) => {
    const refusal = refusalOf({ local: "2027-02-05T09:00", zone });

    expect(refusal.code).toBe("schedule.unknown_zone");
    expect(refusal.fields[0]?.path).toBe("at.zone");
  });

  test.each([
    "2027-02-30T09:00",
    "2027-02-05T24:00",
    "2027-02-05T24:01",
    "05/02/2027 9:00",
    "2027-02-05",
    "",
    "٢٠٢٧-02-05T09:00",
  ])("the local time %p cannot be read", (local) => {
    const refusal = refusalOf({ local, zone: "UTC" });

    expect(refusal.code).toBe("schedule.bad_time");
    expect(refusal.fields[0]?.path).toBe("at.local");
  });

  test("a time that has passed is refused, the present one is not", () => {
    const at = new Date("2027-02-05T15:00:00Z");

    expect(refusalOf({ utc: "2027-02-05T14:59:59Z" }, at).code).toBe("post.time_in_past");
    expect(resolveWhen({ utc: "2027-02-05T15:00:00Z" }, at).dueAt).toEqual(at);
  });

  test("a time in six years is refused", () => {
    expect(refusalOf({ utc: "2032-12-05T15:00:00Z" }).code).toBe("schedule.too_far");
  });
});

test("whatever is accepted shows the asked wall clock in its zone, and nothing else is skipped", () => {
  const zones = ["America/Chicago", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Tehran"];
  const minutes = fc.integer({ min: 0, max: 2 * 365 * 24 * 60 });
  fc.assert(
    fc.property(minutes, fc.constantFrom(...zones), (minute, zone) => {
      const local = new Date(Date.UTC(2027, 0, 1) + minute * 60_000).toISOString().slice(0, 16);
      const wallClockAt = (date: Date) =>
        DateTime.fromJSDate(date, { zone }).toFormat("yyyy-MM-dd'T'HH:mm");
      try {
        expect(wallClockAt(resolveWhen({ local, zone }, now).dueAt)).toBe(local);
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== "schedule.time_skipped") throw error;
        const asIfUtc = new Date(`${local}:00Z`).getTime();
        const all = Array.from({ length: 29 * 4 }, (_, step) => asIfUtc + (step - 58) * 900_000);
        expect(all.map((time) => wallClockAt(new Date(time)))).not.toContain(local);
      }
    }),
    { numRuns: 500 },
  );
});

describe("resolved again, by the rules of today", () => {
  const zone = "America/Chicago";
  const again = (localTime: string, dueAt: string, inZone = zone) =>
    resolveAgain({ localTime, zone: inZone, dueAt: new Date(dueAt) });

  test("a wall clock that means the same stays", () => {
    expect(again("2027-02-05T09:00", "2027-02-05T15:00:00Z")).toEqual({ is: "as_meant" });
  });

  test("one that means another instant moves there", () => {
    const dueAt = new Date("2027-02-05T15:00:00Z");

    expect(again("2027-02-05T09:00", "2027-02-05T14:00:00Z")).toEqual({ is: "moved", dueAt });
  });

  test("of an hour that comes twice, either instant stays, and another becomes the earlier one", () => {
    const twice = "2027-11-07T01:30";

    expect(again(twice, "2027-11-07T06:30:00Z")).toEqual({ is: "as_meant" });
    expect(again(twice, "2027-11-07T07:30:00Z")).toEqual({ is: "as_meant" });
    expect(again(twice, "2027-11-07T05:30:00Z")).toEqual({
      is: "moved",
      dueAt: new Date("2027-11-07T06:30:00Z"),
    });
  });

  test("an hour that does not exist, or a zone that is not known, is said to be so", () => {
    expect(again("2027-03-14T02:30", "2027-03-14T08:30:00Z")).toEqual({ is: "skipped" });
    expect(again("2027-02-05T09:00", "2027-02-05T15:00:00Z", "Heart/Center")).toEqual({
      is: "unknown_zone",
    });
  });

  test("only editions that can be compared are called older", () => {
    expect(isByOlderRules("2001a")).toBe(true);
    expect(isByOlderRules("9999z")).toBe(false);
    expect(isByOlderRules("unknown")).toBe(false);
    expect(isByOlderRules(null)).toBe(false);
  });
});
