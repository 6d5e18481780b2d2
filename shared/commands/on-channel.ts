import { sql } from "kysely";
import type { Call, Connector } from "../connectors/connector.ts";
import { ConnectorError } from "../connectors/error.ts";
import type { Context } from "../context.ts";
import type { Db } from "../db/client.ts";
import type { ChannelRow } from "../db/tables.ts";
import { AppError } from "../errors.ts";

/** The part of a channel's row that acting on its behalf needs. */
export type ChannelAccess = Pick<
  ChannelRow,
  "id" | "platform" | "sealedCredentials" | "credentialsVersion"
>;

/** Credentials are renewed when they have less than this left. */
const RENEW_AHEAD_MS = 10 * 60_000;

/** Longer than any renewal takes; after it, somebody else may try. */
const RENEWAL_LOCK_MS = 30_000;
const RENEWAL_LOOK_MS = 250;

/**
 * Does something on a platform on behalf of a channel. Credentials about to end are renewed first, by one process at a time;
 * where the platform refuses them all the same, they are renewed and `work` is done once more. So `work` may run twice,
 * the second time only after a `reauthorize`, which means that the first had no effect; with `isRepeatable: false` never.
 * @throws {ConnectorError} as `work` does; {AppError} `secret.…` where the credentials cannot be opened
 */
export async function onChannel<T>(
  context: Context,
  channel: ChannelAccess,
  signal: AbortSignal,
  work: (connector: Connector, call: Call) => Promise<T>,
  { isRepeatable }: { isRepeatable: boolean } = { isRepeatable: true },
): Promise<T> {
  const connector = connectorOf(context, channel.platform);
  const renewal = connector.renewal;
  let access = channel;
  let credentials = openCredentials(context, connector, access);
  const endsAt = renewal?.expiresAt(credentials)?.getTime() ?? Infinity;
  if (endsAt - context.now().getTime() < RENEW_AHEAD_MS) {
    access = await renewOrWait(context, connector, access, signal);
    credentials = openCredentials(context, connector, access);
  }
  try {
    return await work(connector, callFor(context, connector, credentials, signal));
  } catch (error) {
    const isRefused = error instanceof ConnectorError && error.kind === "reauthorize";
    if (!isRefused || !isRepeatable || !renewal || access !== channel) throw error;
    access = await renewOrWait(context, connector, access, signal);
    credentials = openCredentials(context, connector, access);
    return work(connector, callFor(context, connector, credentials, signal));
  }
}

/**
 * Renews credentials that the platform has refused.
 * @returns false where this platform's credentials cannot be renewed without a person
 */
export async function renewChannel(
  context: Context,
  channel: ChannelAccess,
  signal: AbortSignal,
): Promise<boolean> {
  const connector = connectorOf(context, channel.platform);
  if (!connector.renewal) return false;
  await renewOrWait(context, connector, channel, signal);
  return true;
}

/** @throws {AppError} unavailable `channel.platform_missing` where the platform's folder was taken away */
export function connectorOf(context: Context, platform: string): Connector {
  const connector = context.connectors.get(platform);
  if (!connector) {
    throw new AppError(
      "unavailable",
      "channel.platform_missing",
      `This installation has no platform "${platform}".`,
    );
  }
  return connector;
}

/** What a connector's method is given. */
export function callFor(
  context: Context,
  connector: Connector,
  credentials: unknown,
  signal: AbortSignal,
): Call {
  const { fetch, now } = context;
  return { credentials, settings: context.settings.get(connector.id), fetch, now, signal };
}

/** The row and column that a channel's credentials are sealed to. */
export function credentialsIdentity(channelId: string): string {
  return `channels/${channelId}/credentials`;
}

function openCredentials(context: Context, connector: Connector, channel: ChannelAccess): unknown {
  const opened = context.sealer.open(channel.sealedCredentials, credentialsIdentity(channel.id));
  return connector.credentials.parse(opened);
}

/**
 * Renews, or waits for whoever is renewing and takes the result. A rotating refresh token that is used twice looks like theft and
 * ends the sign-in, hence the lock in the row.
 */
async function renewOrWait(
  context: Context,
  connector: Connector,
  channel: ChannelAccess,
  signal: AbortSignal,
): Promise<ChannelAccess> {
  const { renewal } = connector;
  if (!renewal) return channel;
  for (;;) {
    signal.throwIfAborted();
    if (await takeRenewal(context.db, channel)) {
      const credentials = openCredentials(context, connector, channel);
      return storeRenewed(context, channel, () =>
        renewal.renew(callFor(context, connector, credentials, signal)),
      );
    }
    const current = await readAccess(context.db, channel.id);
    if (current.credentialsVersion !== channel.credentialsVersion) return current;
    await new Promise((resolve) => setTimeout(resolve, RENEWAL_LOOK_MS));
  }
}

async function takeRenewal(db: Db, channel: ChannelAccess): Promise<boolean> {
  const taken = await db
    .updateTable("channels")
    .set({ renewingUntil: sql<Date>`now() + ${RENEWAL_LOCK_MS} * interval '1 ms'` })
    .where("id", "=", channel.id)
    .where("credentialsVersion", "=", channel.credentialsVersion)
    .where(sql<boolean>`(renewing_until is null or renewing_until <= now())`)
    .executeTakeFirst();
  return taken.numUpdatedRows > 0n;
}

async function storeRenewed(
  context: Context,
  channel: ChannelAccess,
  renew: () => Promise<unknown>,
): Promise<ChannelAccess> {
  let sealedCredentials: Buffer | null = null;
  try {
    sealedCredentials = context.sealer.seal(await renew(), credentialsIdentity(channel.id));
  } finally {
    // In one statement, so that fresh credentials are never stored without freeing the lock.
    const changes = sealedCredentials
      ? { sealedCredentials, credentialsVersion: channel.credentialsVersion + 1 }
      : {};
    await context.db
      .updateTable("channels")
      .set({ ...changes, renewingUntil: null, updatedAt: sql<Date>`clock()` })
      .where("id", "=", channel.id)
      .where("credentialsVersion", "=", channel.credentialsVersion)
      .execute();
  }
  return { ...channel, sealedCredentials, credentialsVersion: channel.credentialsVersion + 1 };
}

function readAccess(db: Db, channelId: string): Promise<ChannelAccess> {
  return db
    .selectFrom("channels")
    .select(["id", "platform", "sealedCredentials", "credentialsVersion"])
    .where("id", "=", channelId)
    .executeTakeFirstOrThrow();
}
