import { createHash } from "node:crypto";

/** What the practice network counts for one post. */
export type Reactions = Readonly<Record<string, number>>;

const MINUTE_MS = 60_000;

/**
 * Reactions of readers who do not exist: small numbers that depend on nothing but the post's id and age, and never fall.
 * A few come within minutes, so that a newcomer sees the path back; most come within two days.
 */
export function simulatedReactions(id: string, ageMs: number): Reactions {
  const seed = createHash("sha256").update(id).digest();
  const trait = (index: number) => seed.readUInt8(index) / 255;
  const minutes = Math.max(0, ageMs) / MINUTE_MS;
  const early = 1 - Math.exp(-minutes / 6);
  const late = 1 - Math.exp(-minutes / (60 * 20));
  const audience = 40 + 360 * trait(0);
  const impressions = Math.floor(audience * (0.15 * early + 0.85 * late));
  const likes = Math.floor(impressions * (0.03 + 0.05 * trait(1)));
  return {
    impressions,
    likes,
    replies: Math.floor(likes * (0.05 + 0.15 * trait(2))),
    reposts: Math.floor(likes * (0.1 + 0.2 * trait(3))),
  };
}
