import { randomUUID } from "node:crypto";
import type { Metric } from "../../connector.ts";

/** Everything that the simulated X knows. Times are epoch ms by its own clock. */
export interface World {
  readonly now: () => Date;
  readonly accounts: Map<string, Account>;
  readonly accessTokens: Map<string, AccessToken>;
  readonly refreshTokens: Map<string, Account>;
  readonly spentTokens: Map<string, Account>;
  readonly posts: StoredPost[];
  readonly postById: Map<string, StoredPost>;
  readonly media: Map<string, StoredMedia>;
  readonly nextId: () => string;
  /** The one developer app; null accepts a renewal in any app's name. */
  app: { readonly clientId: string; readonly clientSecret: string | null } | null;
  enforcesRateLimits: boolean;
  detectsReuse: boolean;
}

export interface Account {
  readonly id: string;
  readonly name: string;
  readonly handle: string;
  readonly posts: StoredPost[];
  /** When a text was last posted. Deleting a post does not take its text from here. */
  readonly recentTexts: Map<string, number>;
  scopes: readonly string[];
  window: { startedAt: number; used: number };
}

interface AccessToken {
  readonly account: Account;
  readonly expiresAt: number;
}

export interface StoredPost {
  readonly id: string;
  readonly author: Account;
  readonly text: string;
  readonly mediaIds: readonly string[];
  readonly altTexts: readonly string[];
  readonly parent: string | null;
  readonly at: Date;
  removed: boolean;
  metrics: Partial<Record<Metric, number>> | null;
}

export interface StoredMedia {
  readonly id: string;
  readonly owner: Account;
  readonly category: string;
  readonly totalBytes: number;
  readonly expiresAt: number;
  readonly segments: Map<number, number>;
  state: "uploading" | "processing" | "succeeded" | "failed";
  looksLeft: number;
  altText: string;
}

const ALL_SCOPES = ["tweet.read", "tweet.write", "users.read", "media.write", "offline.access"];

export const ACCESS_TOKEN_SECONDS = 7_200;

const EPOCH_MS = 1_288_834_974_657n;

/** An empty X. */
export function createWorld(now: () => Date): World {
  return {
    now,
    accounts: new Map(),
    accessTokens: new Map(),
    refreshTokens: new Map(),
    spentTokens: new Map(),
    posts: [],
    postById: new Map(),
    media: new Map(),
    nextId: snowflakes(now),
    app: null,
    enforcesRateLimits: false,
    detectsReuse: false,
  };
}

/** The account of that name, made on first sight. */
export function accountOf(world: World, name: string): Account {
  const known = world.accounts.get(name);
  if (known) return known;
  const account: Account = {
    id: world.nextId(),
    name,
    handle: name.replace(/\W/g, "_").slice(0, 15),
    posts: [],
    recentTexts: new Map(),
    scopes: ALL_SCOPES,
    window: { startedAt: world.now().getTime(), used: 0 },
  };
  world.accounts.set(name, account);
  return account;
}

/** A fresh pair of tokens. */
export function issueTokens(
  world: World,
  account: Account,
): { accessToken: string; refreshToken: string; expiresAt: Date } {
  const accessToken = `access-${randomUUID()}`;
  const refreshToken = `refresh-${randomUUID()}`;
  const expiresAt = new Date(world.now().getTime() + ACCESS_TOKEN_SECONDS * 1000);
  world.accessTokens.set(accessToken, { account, expiresAt: expiresAt.getTime() });
  world.refreshTokens.set(refreshToken, account);
  return { accessToken, refreshToken, expiresAt };
}

/** Ids that carry their time, always rising, beyond what a JavaScript number can hold. */
function snowflakes(now: () => Date): () => string {
  let lastMs = 0n;
  let sequence = 0n;
  return () => {
    const ms = BigInt(now().getTime());
    if (ms > lastMs) {
      lastMs = ms;
      sequence = 0n;
    } else {
      sequence += 1n;
    }
    return (((lastMs - EPOCH_MS) << 22n) | sequence).toString();
  };
}
