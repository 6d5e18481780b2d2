import type { Call, Connector } from "../connectors/connector.ts";
import { ConnectorError } from "../connectors/error.ts";
import type { Context } from "../context.ts";
import type { ChannelAccess } from "../db/sign-ins.ts";
import { callFor, connectorOf, openCredentials } from "./channel-calls.ts";
import { renewOrWait } from "./renew-channel.ts";

/** Credentials are renewed when they have less than this left, should nobody have done so before. */
const RENEW_AHEAD_MS = 10 * 60_000;

/** With less than this left they may end before the request arrives. */
const AS_GOOD_AS_ENDED_MS = 30_000;

/**
 * Does something on a platform on behalf of a channel. Credentials about to end are renewed first, by one process at a time;
 * while they still work, a renewal that fails for want of the platform stops nothing. Where the platform refuses them all the
 * same, they are renewed and `work` is done once more. So `work` may run twice, the second time only after a `reauthorize`,
 * which means that the first had no effect; with `isRepeatable: false` never.
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
  let access = await withLifeLeft(context, connector, channel, signal);
  const callWith = (one: ChannelAccess) =>
    callFor(context, connector, openCredentials(context, connector, one), signal);
  try {
    return await work(connector, callWith(access));
  } catch (error) {
    const isRefused = error instanceof ConnectorError && error.kind === "reauthorize";
    const isRenewed = access.credentialsVersion !== channel.credentialsVersion;
    if (!isRefused || !isRepeatable || !connector.renewal || isRenewed) throw error;
    access = await renewOrWait(context, connector, access, { signal, isAhead: false });
    return work(connector, callWith(access));
  }
}

async function withLifeLeft(
  context: Context,
  connector: Connector,
  channel: ChannelAccess,
  signal: AbortSignal,
): Promise<ChannelAccess> {
  const { renewal } = connector;
  const endsAt = renewal?.expiresAt(openCredentials(context, connector, channel)) ?? null;
  const leftMs = endsAt === null ? Infinity : endsAt.getTime() - context.now().getTime();
  if (leftMs >= RENEW_AHEAD_MS) return channel;
  const isAhead = leftMs > AS_GOOD_AS_ENDED_MS;
  try {
    return await renewOrWait(context, connector, channel, { signal, isAhead });
  } catch (error) {
    // Whoever looks after the channel finds out what that means; this call still works.
    if (isAhead && error instanceof ConnectorError) return channel;
    throw error;
  }
}

/**
 * Renews credentials that the platform has refused.
 * @returns false where this platform's credentials cannot be renewed without a person
 * @throws {ConnectorError} as `renewOrWait`
 */
export async function renewChannel(
  context: Context,
  channel: ChannelAccess,
  signal: AbortSignal,
): Promise<boolean> {
  const connector = connectorOf(context, channel.platform);
  if (!connector.renewal) return false;
  await renewOrWait(context, connector, channel, { signal, isAhead: false });
  return true;
}
