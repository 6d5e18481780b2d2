import type { Call, Connector } from "../connectors/connector.ts";
import type { Context } from "../context.ts";
import type { ChannelAccess, SignIn } from "../db/sign-ins.ts";
import { renewAt } from "../domain/sign-in.ts";
import { AppError } from "../errors.ts";

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

/** @throws {AppError} `secret.…` where they cannot be opened */
export function openCredentials(
  { sealer }: Context,
  connector: Connector,
  channel: ChannelAccess,
): unknown {
  const opened = sealer.open(channel.sealedCredentials, credentialsIdentity(channel.id));
  return connector.credentials.parse(opened);
}

/** When credentials end, and what is to be done before. */
export function signInOf({ renewal }: Connector, credentials: unknown, now: Date): SignIn {
  const endsAt = renewal?.expiresAt(credentials) ?? null;
  return {
    signInEndsAt: endsAt,
    signInRenews: renewal?.canRenew(credentials) ?? false,
    renewAt: endsAt && renewAt(endsAt, now),
  };
}
