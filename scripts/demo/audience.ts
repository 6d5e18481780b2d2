import { createHash } from "node:crypto";
import type { Metric } from "../../shared/connectors/connector.ts";
import type { SimulatedPost, Simulator } from "../../shared/connectors/simulator.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** After the last reading nobody looks any more. */
const WATCHED_MS = 30 * DAY_MS;

/** Lets readers react: small numbers that grow with a post's age. */
export function react(simulator: Simulator, metrics: readonly Metric[], now: Date): void {
  for (const post of simulator.posts()) {
    const ageMs = now.getTime() - post.at.getTime();
    if (post.removed || ageMs > WATCHED_MS) continue;
    simulator.engage(post.remoteId, reactionsTo(post, metrics, ageMs));
  }
}

/** Depends on nothing but the post and its age, and never falls. */
export function reactionsTo(
  { remoteId }: Pick<SimulatedPost, "remoteId">,
  metrics: readonly Metric[],
  ageMs: number,
): Partial<Record<Metric, number>> {
  const seed = createHash("sha256").update(remoteId).digest();
  const reach = 1 - Math.exp(-Math.max(0, ageMs) / (20 * HOUR_MS));
  const counts: Partial<Record<Metric, number>> = {};
  for (const [index, metric] of metrics.entries()) {
    const most = metric === "impressions" ? 400 : 30;
    counts[metric] = Math.floor(most * reach * (seed.readUInt8(index % seed.length) / 255));
  }
  return counts;
}
