import type * as z from "zod";
import type { ShownPart } from "../domain/read-back.ts";
import type { Capabilities } from "./capabilities.ts";

export type { ShownPart } from "../domain/read-back.ts";

/**
 * One platform. A folder under `shared/connectors/` exports one as `connector`; nothing else names it.
 * Every method throws `ConnectorError` and nothing else. What a platform cannot do is absent.
 * Methods get everything from their arguments: a connector reads no clock, environment or database.
 */
export interface Connector<Credentials = unknown, Settings = unknown, Prepared = unknown> {
  /** The folder's name. Stored in the database, so it never changes. */
  readonly id: string;
  /** The platform's own name, as people write it. */
  readonly name: string;
  /** What the platform can do, as data. A channel may have its own, found by `connect`. */
  readonly capabilities: Capabilities;
  /**
   * Operator settings, read from `POSTWELL_<ID>_<NAME>` (`baseUrl` from `POSTWELL_<ID>_BASE_URL`). Every value is a string
   * or absent, and the defaults reach the real platform. Where Postwell hosts the platform, there is a `hostKey` too: it
   * is made from Postwell's own secret, and proves that a request comes from this installation.
   */
  readonly settings: z.ZodType<Settings>;
  /** What a channel needs to publish. Sealed at rest, never logged, never returned by the API. */
  readonly credentials: z.ZodType<Credentials>;
  /** What `prepare` leaves behind for `commit`: plain JSON, stored in between. */
  readonly prepared: z.ZodType<Prepared>;

  /** Length of a text as this platform counts it, to be held against `capabilities.text.max`. Pure. */
  measure(text: string, capabilities: Capabilities): number;

  /**
   * Where a platform is many servers, each with limits and outages of its own: the host that these credentials are used at.
   * Absent where a platform is one.
   */
  hostOf?(credentials: Credentials, settings: Settings): string;

  /** Proves that the credentials work and tells whose they are. May extend them (a session). Repeatable. */
  connect(call: Call<Credentials, Settings>): Promise<Connection<Credentials>>;

  /** The cheapest request that fails when publishing would fail for lack of a right. Repeatable. */
  check(call: Call<Credentials, Settings>): Promise<void>;

  /** Present where credentials end by themselves. */
  readonly renewal?: Renewal<Credentials, Settings>;

  /**
   * All that may be repeated before one part is published: uploads, waiting for processing, choosing ids.
   * `previous` is what an earlier call for the same part returned: reuse of it what is still valid.
   */
  prepare(
    part: OutgoingPart,
    previous: Prepared | null,
    call: Call<Credentials, Settings>,
  ): Promise<Prepared>;

  /**
   * The one request that makes one part public; sent at most once a call, never retried inside.
   * Where the answer is lost after a byte was written (timeout, reset, 5xx, unreadable 2xx), throws
   * `unknown_outcome`; where surely nothing was sent (no connection), `unavailable`.
   */
  commit(
    part: OutgoingPart,
    prepared: Prepared,
    call: Call<Credentials, Settings>,
  ): Promise<PublishedPart>;

  /**
   * Asks the platform what became of a commit whose answer was lost: the part if it is there, null if a
   * complete look did not find it. Read-only and repeatable. Throws `unknown_outcome` where the platform cannot tell.
   */
  reconcile(
    part: OutgoingPart,
    attempt: LostAttempt<Prepared>,
    call: Call<Credentials, Settings>,
  ): Promise<PublishedPart | null>;

  /**
   * The id of the post at an address that a person copied from the platform; null where it names no post of this account. Present
   * where the last piece of the address is not the id. Read-only and repeatable.
   */
  remoteIdOf?(permalink: string, call: Call<Credentials, Settings>): Promise<string | null>;

  /** Takes one published part away. Repeatable: what is gone already is no error. */
  remove?(remoteId: string, call: Call<Credentials, Settings>): Promise<void>;

  /**
   * Totals since publication, at most `capabilities.engagement.batch` posts a call. A post that the platform does not
   * name in its answer is absent from the map; a metric that it does not report is absent from the post. Never 0 instead.
   */
  readEngagement?(
    remoteIds: readonly string[],
    call: Call<Credentials, Settings>,
  ): Promise<ReadonlyMap<string, Engagement>>;

  /**
   * Looks at published parts as readers see them, at most `capabilities.engagement.batch` a call. A part that the platform
   * does not show is absent from the map: it is gone, or hidden. What the platform itself rewrites is no difference.
   * Read-only and repeatable.
   */
  readBack?(
    parts: readonly SentPart[],
    call: Call<Credentials, Settings>,
  ): Promise<ReadonlyMap<string, ShownPart>>;

  /**
   * Present where Postwell itself hosts the platform: answers requests below `/<id>/`. Everybody can reach these, so what
   * changes something must require the `hostKey` of the settings.
   */
  host?(documents: Documents, settings: Settings): (request: Request) => Promise<Response>;
}

/** The outside world, so that tests can replace it, and whom we act for. */
export interface Call<Credentials = unknown, Settings = unknown> {
  readonly credentials: Credentials;
  readonly settings: Settings;
  /** Refuses private addresses; follows no redirects. Node's `fetch` otherwise. */
  readonly fetch: typeof fetch;
  /** UTC. In a demo or a test it may run ahead of the machine's clock. */
  readonly now: () => Date;
  /** Ends the request when its time is up: the outcome of a commit is then unknown. */
  readonly signal: AbortSignal;
  /** To be told what an answer says about limits on posting, whether it is a success or not. Absent where nobody listens. */
  readonly observeLimit?: ((limit: ObservedLimit) => void) | undefined;
}

/** What a platform says is left of a limit on posting. */
export interface ObservedLimit {
  readonly scope: "channel" | "app";
  /** Posts, rounded down. */
  readonly remaining: number;
  /** When the limit begins anew, UTC. */
  readonly until: Date;
}

export interface Connection<Credentials> {
  /** Stable id of the account on the platform: two channels with the same one are the same channel. */
  readonly remoteAccountId: string;
  /** As people write it, such as `@heart@example.social`. */
  readonly handle: string;
  readonly credentials: Credentials;
  /** What this account or server can do; the connector's own where the platform has no say in it. */
  readonly capabilities: Capabilities;
}

export interface Renewal<Credentials, Settings> {
  /** When the credentials stop working, UTC; null if unknown. */
  expiresAt(credentials: Credentials): Date | null;
  /** False where these need a person when they end, because they came without what a renewal takes. Pure. */
  canRenew(credentials: Credentials): boolean;
  /**
   * Exchanges the credentials for fresh ones. Where the platform rotates refresh tokens it must not run twice at once:
   * the caller holds a lock. Throws `reauthorize` when only a person can help.
   */
  renew(call: Call<Credentials, Settings>): Promise<Credentials>;
}

/** One part of a post, ready for one channel. */
export interface OutgoingPart {
  /** NFC, `\n` only, trimmed. May be empty where there is media. */
  readonly text: string;
  readonly media: readonly OutgoingMedia[];
  /** A page to show as a card beside the text; null where `capabilities.showsLinkCard` is false, or there is media. */
  readonly link: string | null;
  /** In a thread: the first part, and the one just before this one. Null for the first part. */
  readonly thread: { readonly root: PublishedPart; readonly parent: PublishedPart } | null;
  /** The same for every attempt at the same content, different for other content. 64 hexadecimal digits. */
  readonly idempotencyKey: string;
}

export interface OutgoingMedia {
  readonly id: string;
  readonly contentType: string;
  readonly byteLength: number;
  readonly width: number;
  readonly height: number;
  /** Empty where the author gave none. */
  readonly altText: string;
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

export interface PublishedPart {
  /** Opaque text, whatever it looks like. */
  readonly remoteId: string;
  /** Where people see it; null where the platform gives no address. */
  readonly permalink: string | null;
  /** By the platform's clock, UTC; null where it does not say. */
  readonly publishedAt: Date | null;
  /** What the connector wants to find again (a content id for replies); null for nothing. */
  readonly reference: Readonly<Record<string, string>> | null;
}

/** A part that is out, with the words that were sent: NFC, `\n` only, trimmed. */
export interface SentPart {
  readonly remoteId: string;
  readonly text: string;
}

export interface LostAttempt<Prepared> {
  /** When the request may have left at the earliest, UTC. */
  readonly armedAt: Date;
  readonly prepared: Prepared;
}

/** Names are Postwell's own, the same for all platforms; a count since publication. */
export type Engagement = Readonly<Partial<Record<Metric, number>>>;

export const METRICS = [
  "impressions",
  "likes",
  "replies",
  "reposts",
  "quotes",
  "bookmarks",
  "linkClicks",
  "profileClicks",
] as const;

export type Metric = (typeof METRICS)[number];

/** A small store for a platform that Postwell hosts. Ids are UUIDs in lower case; kinds are the platform's own words. */
export interface Documents {
  /**
   * Keeps a document under the given id, or a new one. Where the id is taken, by whichever process, what is there stays.
   * @returns what is kept under the id; `isNew` tells whether it is this document
   */
  add(
    document: unknown,
    as: { kind: string; id?: string },
  ): Promise<HostedDocument & { readonly isNew: boolean }>;
  /** Those of one kind, the one that was added last first. */
  list(kind: string, limit: number): Promise<readonly HostedDocument[]>;
  find(id: string): Promise<HostedDocument | null>;
  /** Changes what is given and leaves the rest. False where there is no such document. */
  change(id: string, to: { kind?: string; document?: unknown }): Promise<boolean>;
  /** Repeatable. */
  remove(id: string): Promise<void>;
  /** Removes those of one kind that were added longer ago than this. Repeatable. */
  removeOlder(kind: string, ageMs: number): Promise<void>;
}

export interface HostedDocument {
  readonly id: string;
  readonly kind: string;
  readonly addedAt: Date;
  readonly document: unknown;
}
