import { randomBytes, randomUUID } from "node:crypto";
import type { Metric } from "../../connector.ts";
import type { ServerOptions } from "./options.ts";

/** An odd number, so that ids differ from their own rounding. */
const FIRST_IN_MS = 12_345n;

export interface StoredAccount {
  readonly id: string;
  readonly name: string;
  readonly username: string;
  /** Oldest first, removed ones too. */
  readonly statuses: StoredStatus[];
  /** Idempotency keys and when they were stored. */
  readonly keys: Map<string, { status: StoredStatus; at: Date }>;
}

export interface StoredStatus {
  readonly id: string;
  readonly account: StoredAccount;
  readonly text: string;
  readonly spoilerText: string;
  readonly visibility: string;
  readonly media: readonly StoredMedia[];
  readonly parent: StoredStatus | null;
  readonly at: Date;
  counts: Partial<Record<Metric, number>>;
  replies: number;
  isRemoved: boolean;
}

export interface StoredMedia {
  readonly id: string;
  readonly account: StoredAccount;
  readonly description: string | null;
  /** How many more looks find it unready. */
  looksLeft: number;
  isAttached: boolean;
}

export interface Token {
  readonly account: StoredAccount;
  readonly scopes: ReadonlySet<string>;
}

export type Network = ReturnType<typeof createNetwork>;

/** All that a server stores. */
export function createNetwork({ ids, now }: Pick<ServerOptions, "ids" | "now">) {
  const accounts = new Map<string, StoredAccount>();
  const tokens = new Map<string, Token>();
  const statuses = new Map<string, StoredStatus>();
  const media = new Map<string, StoredMedia>();
  let lastId = 0n;

  /** Rises even when the clock stands still, and has more digits than a JS number keeps. */
  function nextId(): string {
    const byClock = (BigInt(now().getTime()) << 16n) + FIRST_IN_MS;
    lastId = byClock > lastId ? byClock : lastId + 1n;
    return ids === "uuid" ? randomUUID() : lastId.toString();
  }

  function account(name: string): StoredAccount {
    const known = accounts.get(name);
    if (known) return known;
    const username = name.replace(/\W+/g, "_");
    const made: StoredAccount = { id: nextId(), name, username, statuses: [], keys: new Map() };
    accounts.set(name, made);
    return made;
  }

  return {
    statuses,
    media,
    tokens,
    accountById: (id: string) => [...accounts.values()].find((known) => known.id === id),
    issueToken(name: string, scopes: readonly string[]): string {
      const token = randomBytes(24).toString("base64url");
      tokens.set(token, { account: account(name), scopes: new Set(scopes) });
      return token;
    },
    revokeTokens(name: string): void {
      for (const [token, owner] of tokens) if (owner.account.name === name) tokens.delete(token);
    },
    addMedia(owner: StoredAccount, description: string | null, looksLeft: number): StoredMedia {
      const made = { id: nextId(), account: owner, description, looksLeft, isAttached: false };
      media.set(made.id, made);
      return made;
    },
    addStatus(status: Omit<StoredStatus, "id" | "at" | "counts" | "replies" | "isRemoved">) {
      const made = { ...status, id: nextId(), at: now(), counts: {}, replies: 0, isRemoved: false };
      for (const attached of status.media) attached.isAttached = true;
      if (status.parent) status.parent.replies += 1;
      statuses.set(made.id, made);
      status.account.statuses.push(made);
      return made;
    },
  };
}
