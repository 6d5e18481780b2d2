import { DateTime } from "luxon";

/** Everything is shown in one zone, so that the days go by in order. */
export const SHOWN_ZONE = "America/Chicago";

/** An instant as the demo shows it, always as long: `Tue 02 Feb 08:14`. */
export function momentOf(instant: Date): string {
  return DateTime.fromJSDate(instant, { zone: SHOWN_ZONE }).toFormat("ccc dd LLL HH:mm", {
    locale: "en",
  });
}
