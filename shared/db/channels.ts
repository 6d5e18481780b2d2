import { sql } from "kysely";
import type { Capabilities } from "../connectors/capabilities.ts";
import type { DeliveryState } from "../domain/delivery.ts";
import { AppError } from "../errors.ts";
import type { Db, Tx } from "./client.ts";
import type { SignIn } from "./sign-ins.ts";
import type { ChannelRow } from "./tables.ts";

/** A channel without its secret. */
export type StoredChannel = Pick<ChannelRow, (typeof COLUMNS)[number]>;

const COLUMNS = [
  "id",
  "workspaceId",
  "platform",
  "name",
  "remoteAccountId",
  "handle",
  "state",
  "attention",
  "capabilities",
  "credentialsVersion",
  "renewingUntil",
  "waitUntil",
  "signInEndsAt",
  "signInRenews",
  "createdAt",
  "updatedAt",
] as const;

/** Its posts could still go out, or nobody knows yet whether they did. */
const WAITING: readonly DeliveryState[] = [
  "scheduled",
  "preparing",
  "sending",
  "unknown",
  "partial",
  "held",
];

/** Whose account a channel is on, and how to use it. */
export interface ChannelAccount extends SignIn {
  readonly remoteAccountId: string;
  readonly handle: string;
  readonly capabilities: Capabilities;
  readonly sealedCredentials: Buffer;
}

export interface NewChannel extends ChannelAccount {
  readonly checkAt: Date;
  readonly id: string;
  readonly workspaceId: string;
  readonly platform: string;
  readonly name: string;
}

/** @throws {AppError} not_found `channel.missing` */
export async function findChannel(
  db: Db,
  workspaceId: string,
  channelId: string,
): Promise<StoredChannel> {
  const row = await living(db, workspaceId)
    .select(COLUMNS)
    .where("id", "=", channelId)
    .executeTakeFirst();
  if (!row) throw channelMissing();
  return row;
}

/** With its secret, for acting on its behalf. @throws {AppError} not_found `channel.missing` */
export async function findChannelAccess(
  db: Db,
  workspaceId: string,
  channelId: string,
): Promise<ChannelRow> {
  const row = await living(db, workspaceId)
    .selectAll()
    .where("id", "=", channelId)
    .executeTakeFirst();
  if (!row) throw channelMissing();
  return row;
}

/** @returns false where the account or the name is taken: nothing is stored then */
export async function insertChannel(tx: Tx, channel: NewChannel): Promise<boolean> {
  const inserted = await tx
    .insertInto("channels")
    .values({ ...channel, state: "connected", capabilities: JSON.stringify(channel.capabilities) })
    // A violation would end the whole transaction, which may be the caller's.
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return inserted.numInsertedOrUpdatedRows === 1n;
}

/** Whether the workspace has a living channel on this account. */
export async function isConnected(
  db: Db,
  account: { workspaceId: string; platform: string; remoteAccountId: string },
): Promise<boolean> {
  const row = await living(db, account.workspaceId)
    .select("id")
    .where("platform", "=", account.platform)
    .where("remoteAccountId", "=", account.remoteAccountId)
    .executeTakeFirst();
  return row !== undefined;
}

/** Whether another living channel of the workspace is called so, whatever the case of its letters. */
export async function isNameTaken(
  db: Db,
  channel: { workspaceId: string; name: string; id: string | null },
): Promise<boolean> {
  const row = await living(db, channel.workspaceId)
    .select("id")
    .where(sql<boolean>`lower(name) = lower(${channel.name})`)
    .where(sql<boolean>`id is distinct from ${channel.id}::uuid`)
    .executeTakeFirst();
  return row !== undefined;
}

export async function renameChannel(tx: Tx, channelId: string, name: string): Promise<void> {
  await tx
    .updateTable("channels")
    .set({ name, updatedAt: sql<Date>`clock()` })
    .where("id", "=", channelId)
    .execute();
}

/** New credentials that were just proven. `healChannel` says what that means for what waits. */
export async function replaceCredentials(
  tx: Tx,
  channelId: string,
  account: ChannelAccount,
): Promise<void> {
  await tx
    .updateTable("channels")
    .set({
      handle: account.handle,
      capabilities: JSON.stringify(account.capabilities),
      sealedCredentials: account.sealedCredentials,
      credentialsVersion: sql<number>`credentials_version + 1`,
      // It may be on another server of its platform now.
      host: null,
      signedInAt: sql<Date>`clock()`,
      signInEndsAt: account.signInEndsAt,
      signInRenews: account.signInRenews,
      renewAt: account.renewAt,
      renewingUntil: null,
      renewalBegunAt: null,
      updatedAt: sql<Date>`clock()`,
    })
    .where("id", "=", channelId)
    .execute();
}

/**
 * Holds back new deliveries to the channel until the transaction ends, because they refer to this row.
 * @throws {AppError} not_found `channel.missing`
 */
export async function lockChannel(tx: Tx, workspaceId: string, channelId: string): Promise<void> {
  const row = await living(tx, workspaceId)
    .select("id")
    .where("id", "=", channelId)
    .forUpdate()
    .executeTakeFirst();
  if (!row) throw channelMissing();
}

export async function countWaiting(db: Db, channelId: string): Promise<number> {
  const row = await db
    .selectFrom("deliveries")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("channelId", "=", channelId)
    .where((eb) => eb.or([eb("state", "in", WAITING), eb("removeAt", "is not", null)]))
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Hides the channel and forgets its secret. What was published stays, and is no longer measured or checked. */
export async function forgetChannel(tx: Tx, channelId: string): Promise<void> {
  await tx
    .updateTable("deliveries")
    .set({
      engagementAt: null,
      readBackAt: null,
      version: sql<number>`version + 1`,
      updatedAt: sql<Date>`clock()`,
    })
    .where("channelId", "=", channelId)
    .where(sql<boolean>`(engagement_at is not null or read_back_at is not null)`)
    .execute();
  await tx
    .updateTable("channels")
    .set({
      sealedCredentials: Buffer.alloc(0),
      removedAt: sql<Date>`clock()`,
      updatedAt: sql<Date>`clock()`,
    })
    .where("id", "=", channelId)
    .execute();
}

/** @param after id of the last channel of the page before */
export function listChannels(
  db: Db,
  workspaceId: string,
  page: {
    after: string | null;
    limit: number;
    platform?: string | undefined;
    state?: ChannelRow["state"] | undefined;
  },
): Promise<StoredChannel[]> {
  const { after, limit, platform, state } = page;
  return living(db, workspaceId)
    .select(COLUMNS)
    .$if(after !== null, (query) => query.where("id", ">", after))
    .$if(platform !== undefined, (query) => query.where("platform", "=", platform ?? ""))
    .$if(state !== undefined, (query) => query.where("state", "=", state ?? "connected"))
    .orderBy("id")
    .limit(limit + 1)
    .execute();
}

function living(db: Db, workspaceId: string) {
  return db
    .selectFrom("channels")
    .where("workspaceId", "=", workspaceId)
    .where("removedAt", "is", null);
}

function channelMissing(): AppError {
  return new AppError("not_found", "channel.missing", "There is no such channel.");
}
