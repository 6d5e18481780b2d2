import type { Fault as PlatformFault } from "../../shared/connectors/simulator.ts";
import type { DrillOptions } from "./options.ts";
import { seededRandom, type Random } from "./random.ts";

/** How many workers a drill has. The last one's clock is ahead, but within what is allowed. */
export const WORKERS = 3;

/** One thing that goes wrong. */
export interface PlannedFault {
  readonly kind: FaultKind;
  readonly lane: string;
  /** After the drill's start, at the earliest. */
  readonly atMs: number;
  /** How long it lasts; what that means is the kind's own. */
  readonly forMs: number;
  /** The worker, channel or requests concerned, by number. */
  readonly which: number;
  /** For a platform's faults: which platform, by number, and what it does wrong. */
  readonly platformFault: PlatformFault | null;
}

/** Faults of one lane never overlap; each worker has a lane of its own. */
type Lane = "worker" | "queue" | "database" | "platform" | "network" | "api";

interface Kind {
  readonly lane: Lane;
  readonly lastsMs: readonly [number, number];
  /** How often, beside the others of its lane. */
  readonly weight: number;
  readonly needsRedis?: true;
}

/** Longer than the lock of a hint and the lease of a channel, which are ten seconds. */
const BEYOND_ANY_LEASE_MS = [11_000, 15_000] as const;

export const FAULT_KINDS = {
  "worker killed": { lane: "worker", lastsMs: [200, 2_500], weight: 4 },
  "worker frozen": { lane: "worker", lastsMs: BEYOND_ANY_LEASE_MS, weight: 3 },
  "worker frozen briefly": { lane: "worker", lastsMs: [1_000, 9_000], weight: 1 },
  "worker asked to stop": { lane: "worker", lastsMs: [200, 1_000], weight: 1 },
  "promoter killed before its mark": {
    lane: "worker",
    lastsMs: [3_000, 5_000],
    weight: 2,
    needsRedis: true,
  },
  "redis killed": { lane: "queue", lastsMs: [500, 5_000], weight: 2, needsRedis: true },
  "redis wiped": { lane: "queue", lastsMs: [0, 0], weight: 3, needsRedis: true },
  "redis paused": { lane: "queue", lastsMs: [2_500, 6_000], weight: 1, needsRedis: true },
  "redis frozen": { lane: "queue", lastsMs: [2_500, 6_000], weight: 1, needsRedis: true },
  "redis full": { lane: "queue", lastsMs: [2_500, 6_000], weight: 1, needsRedis: true },
  "postgres restarted": { lane: "database", lastsMs: [0, 1_500], weight: 2 },
  "postgres sessions ended": { lane: "database", lastsMs: [0, 0], weight: 2 },
  "worker's database sessions ended": { lane: "database", lastsMs: [0, 0], weight: 2 },
  "platform misbehaves": { lane: "platform", lastsMs: [500, 2_000], weight: 1 },
  "platform answers late": { lane: "network", lastsMs: [1_000, 4_000], weight: 2 },
  "platforms frozen": { lane: "network", lastsMs: [1_000, 5_000], weight: 1 },
  "sign-in ended": { lane: "network", lastsMs: [0, 0], weight: 1 },
  "api killed": { lane: "api", lastsMs: [100, 1_000], weight: 1 },
  "worker with a wrong clock": { lane: "api", lastsMs: [0, 0], weight: 1 },
} as const satisfies Record<string, Kind>;

export type FaultKind = keyof typeof FAULT_KINDS;

const MISBEHAVIOUR: readonly PlatformFault[] = [
  "commit_rate_limited",
  "commit_unavailable",
  "commit_unavailable_after_success",
  "commit_reset_after_success",
  "commit_reset_before",
  "commit_hang_after_success",
  "commit_html_after_success",
  "commit_content_rejected",
  "upload_unavailable",
  "upload_processing",
  "read_unavailable",
  "read_lags",
];

/** Between two faults of a lane. */
const PAUSES_MS: Record<Lane, readonly [number, number]> = {
  worker: [5_000, 14_000],
  queue: [2_000, 8_000],
  database: [9_000, 20_000],
  platform: [300, 1_800],
  network: [8_000, 20_000],
  api: [8_000, 20_000],
};

/** Strikes only what is at work: knocking over what lies already would prove nothing. */
export function needsWork({ kind }: PlannedFault): boolean {
  return ["worker", "database"].includes(FAULT_KINDS[kind].lane);
}

/** All faults of a drill in the order of their times, decided by the seed alone. */
export function planFaults(options: DrillOptions): PlannedFault[] {
  const lanes: readonly (readonly [Lane, number])[] = [
    ...Array.from({ length: WORKERS }, (_, worker) => ["worker", worker] as const),
    ["queue", 0],
    ["database", 0],
    ["platform", 0],
    ["platform", 1],
    ["network", 0],
    ["api", 0],
  ];
  return lanes
    .flatMap(([lane, number]) => planLane(options, lane, number))
    .toSorted((one, other) => one.atMs - other.atMs);
}

/** Every kind once, as far as there is time, before any comes again. */
function planLane(options: DrillOptions, lane: Lane, number: number): PlannedFault[] {
  const random = seededRandom(options.seed, `faults/${lane}/${number}`);
  const kinds = kindNames().filter((name) => isOf(name, lane, options));
  const faults: PlannedFault[] = [];
  if (kinds.length === 0) return faults;
  const endMs = options.seconds * 1_000;
  let order: FaultKind[] = [];
  let misbehaviour: PlatformFault[] = [];
  let atMs = random.between(300, 2_000);
  while (atMs < endMs) {
    if (order.length === 0) order = random.shuffled(kinds.flatMap(byWeight));
    const kind = takeFirstNew(order, faults);
    const [shortest, longest] = FAULT_KINDS[kind].lastsMs;
    const forMs = Math.round(random.between(shortest, longest));
    if (misbehaviour.length === 0) misbehaviour = random.shuffled(MISBEHAVIOUR);
    const platformFault = kind === "platform misbehaves" ? (misbehaviour.pop() ?? null) : null;
    const which = lane === "worker" ? number : random.int(0, 1_000_000);
    faults.push({
      kind,
      lane: `${lane} ${number}`,
      atMs: Math.round(atMs),
      forMs,
      which,
      platformFault,
    });
    atMs += forMs + random.between(...PAUSES_MS[lane]) * paceOf(options, random);
  }
  return faults;
}

/** A short drill has the same faults in less time. */
function paceOf({ seconds }: DrillOptions, random: Random): number {
  return seconds < 30 ? random.between(0.1, 0.4) : 1;
}

function kindNames(): FaultKind[] {
  const names: FaultKind[] = [];
  for (const name in FAULT_KINDS) if (isKind(name)) names.push(name);
  return names;
}

function isKind(name: string): name is FaultKind {
  return Object.hasOwn(FAULT_KINDS, name);
}

function isOf(name: FaultKind, lane: Lane, { queue }: DrillOptions): boolean {
  const kind: Kind = FAULT_KINDS[name];
  return kind.lane === lane && (queue === "redis" || kind.needsRedis !== true);
}

function byWeight(name: FaultKind): FaultKind[] {
  return Array.from({ length: FAULT_KINDS[name].weight }, () => name);
}

function takeFirstNew(order: FaultKind[], before: readonly PlannedFault[]): FaultKind {
  const isNew = (name: FaultKind) => !before.some(({ kind }) => kind === name);
  const index = Math.max(0, order.findIndex(isNew));
  const [taken] = order.splice(index, 1);
  if (taken === undefined) throw new Error("Nothing to take from.");
  return taken;
}
