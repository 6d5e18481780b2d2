import type { CpuTime } from "./cpu-time.ts";

/** Deliveries to be published, and when. */
export interface Load {
  /** True: all wait already and go at the start. False: each has its time. */
  readonly isDueAlready: boolean;
  readonly deliveries: readonly {
    readonly channel: number;
    /** Its time, after the first possible one. */
    readonly afterMs: number;
  }[];
}

/** What became of a load on one engine. Times in milliseconds since 1970. */
export interface Run {
  /** The start was given; for a load with times, the first possible one. */
  readonly startedAt: number;
  /** Nothing was left to do. */
  readonly endedAt: number;
  readonly deliveries: readonly Published[];
  /** Spent between the two; null where the system does not tell. */
  readonly cpu: CpuTime | null;
  /** What did not go as it should, although everything was published in the end. */
  readonly trouble: readonly string[];
}

export interface Published {
  readonly channel: number;
  readonly dueAt: number;
  /** The last moment before the platform is touched. */
  readonly beganAt: number;
  /** Its answer was there. */
  readonly endedAt: number;
}

/** Something that publishes loads: ours in one of its queue modes, or the bare queue. */
export interface Engine {
  readonly name: EngineName;
  /** Starts its processes on empty stores. */
  open(): Promise<OpenEngine>;
}

export type EngineName = "bare" | "redis" | "direct";

export interface OpenEngine {
  run(load: Load): Promise<Run>;
  close(): Promise<void>;
}

/** So many deliveries, spread evenly, that all wait already. */
export function dueAlready(count: number, channels: number): Load {
  return { isDueAlready: true, deliveries: spread(count, channels, () => 0) };
}

/** So many a second. */
export function steady(perSecond: number, seconds: number, channels: number): Load {
  const deliveries = spread(perSecond * seconds, channels, (index) => (index * 1_000) / perSecond);
  return { isDueAlready: false, deliveries };
}

/** All at the same moment. */
export function spike(count: number, channels: number): Load {
  return { isDueAlready: false, deliveries: spread(count, channels, () => 0) };
}

/** Long enough for a load to be planned before its first time. */
export function planningMs({ deliveries }: Load): number {
  return 5_000 + deliveries.length * 2;
}

function spread(
  count: number,
  channels: number,
  afterMs: (index: number) => number,
): Load["deliveries"] {
  return Array.from({ length: count }, (_, index) => ({
    channel: index % channels,
    afterMs: afterMs(index),
  }));
}
