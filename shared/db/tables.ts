import type { ColumnType, Generated, Selectable } from "kysely";
import type { Capabilities } from "../connectors/capabilities.ts";
import type { PartContent, Source } from "../domain/content.ts";
import type { DeliveryError, DeliveryState } from "../domain/delivery.ts";
import type { Attention } from "../domain/channel.ts";
import type { FailureKind } from "../domain/failure.ts";
import type { NoticeKind } from "../domain/notice.ts";
import type { Preflight } from "../domain/preflight.ts";
import type { Scope } from "../domain/permission.ts";
import type { Difference, Verdict } from "../domain/read-back.ts";
import type { BreakerState } from "../domain/outage.ts";
import type { WaitReason } from "../domain/wait.ts";

/** JSON goes in as text, because the driver would turn an array into a PostgreSQL array. */
type Json<T> = ColumnType<T, string, string>;
type JsonOrNull<T> = ColumnType<T | null, string | null | undefined, string | null>;

/** The tables as `migrations/` make them. What each column means is said there. */
export interface Tables {
  workspaces: { id: string; name: string; createdAt: Generated<Date> };
  apiTokens: {
    id: string;
    workspaceId: string;
    name: string;
    scope: Scope;
    tokenHash: Buffer;
    createdAt: Generated<Date>;
    expiresAt: Date | null;
    revokedAt: Date | null;
  };
  idempotencyKeys: {
    workspaceId: string;
    key: string;
    requestHash: Buffer;
    status: number | null;
    headers: JsonOrNull<Record<string, string>>;
    body: JsonOrNull<unknown>;
    createdAt: Generated<Date>;
  };
  channels: {
    id: string;
    workspaceId: string;
    platform: string;
    name: string;
    remoteAccountId: string;
    handle: string;
    state: "connected" | "needs_attention";
    attention: JsonOrNull<Attention>;
    capabilities: Json<Capabilities>;
    sealedCredentials: Buffer;
    credentialsVersion: Generated<number>;
    renewingUntil: Date | null;
    waitUntil: Date | null;
    waitReason: WaitReason | null;
    host: string | null;
    checkAt: Date | null;
    renewAt: Date | null;
    signInEndsAt: Date | null;
    signInRenews: Generated<boolean>;
    signedInAt: Generated<Date>;
    renewalBegunAt: Date | null;
    attentionSince: Date | null;
    preflightAt: Date | null;
    createdAt: Generated<Date>;
    updatedAt: Generated<Date>;
    removedAt: Date | null;
  };
  media: {
    id: string;
    workspaceId: string;
    filename: string;
    contentType: string;
    byteLength: number;
    width: number;
    height: number;
    sha256: string;
    altText: string;
    createdAt: Generated<Date>;
    removedAt: Date | null;
  };
  posts: {
    id: string;
    workspaceId: string;
    externalId: string | null;
    version: Generated<number>;
    state: "draft" | "scheduled";
    parts: Json<PartContent[]>;
    link: string | null;
    sources: Json<Source[]>;
    labels: string[];
    campaign: string | null;
    latestAfterMinutes: number;
    contentHash: string;
    createdBy: string;
    createdAt: Generated<Date>;
    updatedAt: Generated<Date>;
    removedAt: Date | null;
  };
  postChannels: {
    workspaceId: string;
    postId: string;
    channelId: string;
    variant: JsonOrNull<{ parts: PartContent[] }>;
  };
  deliveries: {
    id: string;
    workspaceId: string;
    postId: string;
    channelId: string;
    platform: string;
    state: DeliveryState;
    version: Generated<number>;
    contentHash: string;
    dueAt: Date;
    localTime: string | null;
    zone: string | null;
    tzdb: string | null;
    latestAt: Date;
    nextAt: Date | null;
    tries: Generated<number>;
    looks: Generated<number>;
    abandoned: Generated<number>;
    prepared: ColumnType<Record<string, unknown>, string | undefined, string>;
    error: JsonOrNull<DeliveryError>;
    publishedAt: Date | null;
    engagementAt: Date | null;
    engagementError: FailureKind | null;
    readBackAt: Date | null;
    readBackTries: Generated<number>;
    readBack: Verdict | null;
    preflightAt: Date | null;
    preflight: JsonOrNull<Preflight>;
    waitedFor: WaitReason | null;
    isCutShort: Generated<boolean>;
    removalWishedAt: Date | null;
    removalWishedBy: string | null;
    removeAt: Date | null;
    removalTries: Generated<number>;
    removalError: JsonOrNull<DeliveryError>;
    createdAt: Generated<Date>;
    updatedAt: Generated<Date>;
  };
  attempts: {
    id: string;
    deliveryId: string;
    part: number;
    fence: number;
    worker: string;
    contentHash: string;
    idempotencyKey: string;
    armedAt: Generated<Date>;
  };
  attemptOutcomes: {
    attemptId: string;
    outcome: string;
    error: JsonOrNull<DeliveryError>;
    answeredAt: Generated<Date>;
  };
  receipts: {
    deliveryId: string;
    part: number;
    remoteId: string;
    permalink: string | null;
    publishedAt: Date;
    contentHash: string;
    reference: JsonOrNull<Record<string, string>>;
    knownBy: "answered" | "reconciled" | "person";
    recordedAt: Generated<Date>;
  };
  removals: {
    id: string;
    deliveryId: string;
    part: number;
    outcome: string;
    error: JsonOrNull<DeliveryError>;
    answeredAt: Generated<Date>;
  };
  snapshots: {
    deliveryId: string;
    takenAt: Generated<Date>;
    metrics: Json<Partial<Record<string, number>>>;
  };
  readBacks: {
    deliveryId: string;
    takenAt: Generated<Date>;
    verdict: Verdict;
    differences: Json<readonly Difference[]>;
    reason: FailureKind | null;
  };
  outbox: {
    job: string;
    subjectId: string;
    lane: string;
    runAt: Date;
    revision: Generated<number>;
    handedAt: Date | null;
    leasedBy: string | null;
    leasedUntil: Date | null;
    fence: Generated<number>;
    stumbles: Generated<number>;
  };
  events: {
    xid: Generated<string>;
    id: Generated<number>;
    workspaceId: string;
    type: string;
    subjectId: string;
    at: Generated<Date>;
  };
  notices: {
    number: Generated<number>;
    id: Generated<string>;
    workspaceId: string;
    recipientId: string;
    kind: NoticeKind;
    subjectId: string;
    reason: string | null;
    cause: string;
    addedAt: Generated<Date>;
    readAt: Date | null;
  };
  holdFence: { onlyRow: Generated<boolean>; fence: number };
  holds: {
    id: string;
    workspaceId: string;
    channelIds: string[] | null;
    campaign: string | null;
    label: string | null;
    reason: string;
    fence: number;
    startedBy: string;
    startedAt: Generated<Date>;
    endsAt: Date | null;
    endedBy: string | null;
    endedAt: Date | null;
    preflightSaw: "begun" | "ended" | null;
  };
  overdueAlarms: { deliveryId: string; dueAt: Date; raisedAt: Generated<Date> };
  workers: {
    id: string;
    startedAt: Generated<Date>;
    seenAt: Generated<Date>;
    confirmedFence: number;
  };
  platformHealth: {
    platform: string;
    host: string;
    breaker: Generated<BreakerState>;
    since: Generated<Date>;
    openings: Generated<number>;
    retryAt: Date | null;
    probeChannelId: string | null;
    preflightSawOut: Generated<boolean>;
    waitUntil: Date | null;
    waitReason: WaitReason | null;
  };
  budgetUsage: {
    key: string;
    bucketAt: Date;
    used: number;
    room: number;
    granted: number;
    forgetAt: Date;
  };
  hostedDocuments: {
    platform: string;
    id: string;
    number: Generated<number>;
    kind: string;
    document: Json<unknown>;
    addedAt: Generated<Date>;
  };
}

export type ChannelRow = Selectable<Tables["channels"]>;
export type MediaRow = Selectable<Tables["media"]>;
