/** What a hold stops. */
export type HoldScope =
  | { readonly kind: "workspace" }
  | { readonly kind: "channels"; readonly channelIds: readonly string[] }
  | { readonly kind: "campaign"; readonly campaign: string }
  | { readonly kind: "label"; readonly label: string };

export interface Hold {
  readonly id: string;
  readonly scope: HoldScope;
  readonly reason: string;
  /** Grows with every hold. */
  readonly fence: number;
  readonly startedAt: Date;
  /** When it ends by itself, UTC; null for never. */
  readonly endsAt: Date | null;
  /** When a person ended it, UTC. */
  readonly endedAt: Date | null;
}

/** Whether it still stops anything. */
export function isActive({ endsAt, endedAt }: Hold, now: Date): boolean {
  return endedAt === null && (endsAt === null || endsAt > now);
}
