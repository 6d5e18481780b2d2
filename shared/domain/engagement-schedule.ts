const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Times after publication at which engagement is read, in milliseconds, growing. */
export type EngagementSchedule = readonly number[];

/**
 * Reads a schedule such as `15m,1h,6h,24h,3d,7d,28d`.
 * @throws {RangeError} that names the first entry that is no duration
 */
export function parseEngagementSchedule(text: string): EngagementSchedule {
  const offsets = text.split(",").map((entry) => {
    const [, count, unit] = /^\s*(\d+)\s*([smhd])\s*$/.exec(entry) ?? [];
    const unitMs = unit === undefined ? undefined : UNIT_MS[unit];
    if (count === undefined || unitMs === undefined) {
      throw new RangeError(`"${entry.trim()}" is no duration such as 15m, 6h or 3d.`);
    }
    return Number(count) * unitMs;
  });
  return offsets.sort((a, b) => a - b);
}

/** The first reading that lies ahead; null after the last one. Readings that were missed are not made up for. */
export function nextReadingAt(
  publishedAt: Date,
  now: Date,
  schedule: EngagementSchedule,
): Date | null {
  const times = schedule.map((offset) => new Date(publishedAt.getTime() + offset));
  return times.find((time) => time > now) ?? null;
}
