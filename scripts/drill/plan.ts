import { createHash } from "node:crypto";
import type { DrillOptions } from "./options.ts";
import { seededRandom, type Random } from "./random.ts";

/** One delivery of a drill, before it has a place in a database. */
export interface DrillDelivery {
  /** Its name in texts and reports. */
  readonly number: number;
  readonly channel: number;
  /** Its time, after the drill's start. */
  readonly afterMs: number;
  /** More than one makes a thread. */
  readonly parts: number;
  readonly hasImage: boolean;
}

/** Something that a person does to a delivery at the last moment, through the API. */
export interface Operation {
  readonly kind: "edit" | "move" | "cancel" | "create";
  readonly delivery: DrillDelivery;
  /** After the drill's start. */
  readonly atMs: number;
  /** The new time of a move, after the drill's start; otherwise the delivery's own. */
  readonly dueMs: number;
}

/** A stop of one channel for a while. */
export interface PlannedHold {
  readonly channel: number;
  readonly atMs: number;
  readonly forMs: number;
}

export interface DrillPlan {
  /** In every text and in no other place: where it turns up, a text has leaked. */
  readonly marker: string;
  /** Stored before the start. */
  readonly deliveries: readonly DrillDelivery[];
  /** In the order of their times. What `create` makes is not among `deliveries`. */
  readonly operations: readonly Operation[];
  readonly holds: readonly PlannedHold[];
}

/** How long before the time something is done to a delivery. */
const AHEAD_MS = [
  [-50, 600],
  [0, 4_000],
  [-15_000, 0],
] as const;

/** Of all deliveries. */
const SHARES = { thread: 0.04, image: 0.02, operation: 0.12, created: 0.02 };

/** Of a delivery. */
export const MEAN_PARTS = 1 + SHARES.thread * 1.5;

/**
 * Everything that a drill does to its own deliveries, decided by the seed alone.
 * @param limits most deliveries of each channel: a platform that wants more than minutes between them cannot be waited for
 */
export function planDrill(options: DrillOptions, limits: readonly number[]): DrillPlan {
  const random = seededRandom(options.seed, "channels");
  const created = Math.ceil(options.deliveries * SHARES.created);
  const channels = spread(options.deliveries + created, limits);
  const places = [...channels.slice(0, -created), ...random.shuffled(channels.slice(-created))];
  const deliveries = planDeliveries(options, places);
  const operations = [
    ...planOperations(options, deliveries),
    ...planCreations(options, places.slice(options.deliveries)),
  ];
  return {
    marker: markerOf(options.seed),
    deliveries,
    operations: operations.toSorted((one, other) => one.atMs - other.atMs),
    holds: planHolds(options),
  };
}

/** What one part says in one of its forms. Unique in a drill, and short enough for every platform. */
export function textOf(marker: string, number: number, part: number, form: number): string {
  return `${marker} ${number}.${part + 1} form ${form}: know your numbers.`;
}

export function textsOf(marker: string, { number, parts }: DrillDelivery, form: number): string[] {
  return Array.from({ length: parts }, (_, part) => textOf(marker, number, part, form));
}

function markerOf(seed: number): string {
  const digest = createHash("sha256").update(`marker/${seed}`).digest("hex");
  return `heartdrill${digest.slice(0, 10)}`;
}

/** Channels take turns for as long as they have room. @throws {Error} where there is not enough */
function spread(count: number, limits: readonly number[]): number[] {
  const places: number[] = [];
  for (let round = 0; places.length < count; round += 1) {
    const open = limits.flatMap((limit, channel) => (round < limit ? [channel] : []));
    if (open.length === 0)
      throw new Error("The platforms' limits are too low: take more channels.");
    places.push(...open.slice(0, count - places.length));
  }
  return places;
}

function planDeliveries(
  { seed, deliveries, seconds }: DrillOptions,
  places: readonly number[],
): DrillDelivery[] {
  const random = seededRandom(seed, "deliveries");
  const rushHours = [0.2, 0.5, 0.8].map((share) => Math.round(share * seconds * 1_000));
  return Array.from({ length: deliveries }, (_, number) => {
    const afterMs = random.chance(0.3)
      ? random.pick(rushHours)
      : Math.round(random.between(0, seconds * 1_000));
    return { number, channel: places[number] ?? 0, afterMs, ...contentOf(random) };
  });
}

function contentOf(random: Random): Pick<DrillDelivery, "parts" | "hasImage"> {
  const parts = random.chance(SHARES.thread) ? random.int(2, 3) : 1;
  return { parts, hasImage: random.chance(SHARES.image) };
}

/** Around the time, where the races are; and behind it, where they are when the workers have fallen behind. */
function planOperations({ seed }: DrillOptions, deliveries: readonly DrillDelivery[]): Operation[] {
  const random = seededRandom(seed, "operations");
  const touched = deliveries.filter(() => random.chance(SHARES.operation));
  return touched.map((delivery) => {
    const kind = random.pick(["edit", "move", "cancel"] as const);
    const [least, most] = random.pick(AHEAD_MS);
    const aheadMs = random.between(least, most);
    const atMs = Math.max(0, delivery.afterMs - aheadMs);
    const movedMs = Math.round(Math.max(atMs, delivery.afterMs) + random.between(500, 9_000));
    return { kind, delivery, atMs, dueMs: kind === "move" ? movedMs : delivery.afterMs };
  });
}

function planCreations(
  { seed, deliveries, seconds }: DrillOptions,
  places: readonly number[],
): Operation[] {
  const random = seededRandom(seed, "creations");
  return places.map((channel, index) => {
    const atMs = random.between(0, seconds * 1_000);
    const afterMs = Math.round(atMs + random.between(300, 3_000));
    const number = deliveries + index;
    const delivery = { number, channel, afterMs, ...contentOf(random) };
    return { kind: "create" as const, delivery, atMs, dueMs: afterMs };
  });
}

function planHolds({ seed, channels, seconds }: DrillOptions): PlannedHold[] {
  const random = seededRandom(seed, "holds");
  const count = Math.max(1, Math.round(channels / 10));
  const some = random.shuffled(Array.from({ length: channels }, (_, channel) => channel));
  return some.slice(0, count).map((channel) => ({
    channel,
    atMs: random.between(0.2, 0.8) * seconds * 1_000,
    forMs: random.between(1_000, 4_000),
  }));
}
