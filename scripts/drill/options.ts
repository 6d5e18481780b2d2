import { parseArgs } from "node:util";
import * as z from "zod";

/** How large a drill is, and which one. */
export interface DrillOptions {
  readonly deliveries: number;
  readonly channels: number;
  readonly queue: "redis" | "direct";
  /** The same seed gives the same deliveries, edits and faults, at the same times. */
  readonly seed: number;
  /** The time over which the deliveries fall due. */
  readonly seconds: number;
  /** After the last one is due, for everything to be settled. */
  readonly settleSeconds: number;
  /** Keeps the stores' files and the logs, for a look at them afterwards. */
  readonly keep: boolean;
}

export const USAGE = `npm run drill -- [options]
  --deliveries N         (10000)
  --channels N           on all platforms together (50)
  --queue redis|direct   (redis)
  --seed N               the same seed makes the same drill (by the clock)
  --seconds N            the deliveries fall due over so long (one for a hundred of them, at least 10)
  --settle-seconds N     then wait so long for everything to be settled (240)
  --keep                 keep files and logs`;

const count = z.coerce.number().int().min(1);

/** What two cores can publish while everything around them falls over and gets up again. */
const PER_SECOND = 100;
const SHORTEST_SECONDS = 10;

function defaultSeconds(deliveries: number): number {
  return Math.max(SHORTEST_SECONDS, Math.round(deliveries / PER_SECOND));
}

/** @throws {Error} for what is not an option of the drill */
export function readOptions(args: readonly string[]): DrillOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      deliveries: { type: "string", default: "10000" },
      channels: { type: "string", default: "50" },
      queue: { type: "string", default: "redis" },
      seed: { type: "string" },
      seconds: { type: "string" },
      "settle-seconds": { type: "string", default: "240" },
      keep: { type: "boolean", default: false },
    },
  });
  const deliveries = count.parse(values.deliveries);
  return {
    deliveries,
    channels: count.parse(values.channels),
    queue: z.enum(["redis", "direct"]).parse(values.queue),
    seed: z.coerce
      .number()
      .int()
      .parse(values.seed ?? Math.floor(Date.now() / 1_000)),
    seconds: count.parse(values.seconds ?? defaultSeconds(deliveries)),
    settleSeconds: count.parse(values["settle-seconds"]),
    keep: values.keep,
  };
}
