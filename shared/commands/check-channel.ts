import { ConnectorError } from "../connectors/error.ts";
import type { Actor, Context } from "../context.ts";
import { storeHealth } from "../db/channel-health.ts";
import { findChannel, findChannelAccess, type StoredChannel } from "../db/channels.ts";
import { inTransaction } from "../db/client.ts";
import { attentionFor, type Attention } from "../domain/channel.ts";
import { connectorOf } from "./channel-calls.ts";
import { onChannel } from "./on-channel.ts";
import { PLATFORM_TIMEOUT_MS, unreachable } from "./prove-credentials.ts";

/** What asking a platform about one of its accounts has shown; `attention` is null where all is well. */
export interface Checked {
  readonly channelId: string;
  readonly attention: Attention | null;
  /** UTC. */
  readonly askedAt: Date;
}

/**
 * Asks the platform whether the channel could publish now. Never inside a transaction. Repeatable.
 * @throws {AppError} not_found `channel.missing`; unavailable `channel.platform_unreachable`, `secret.…`
 */
export async function checkChannel(
  context: Context,
  { workspaceId }: Actor,
  channelId: string,
): Promise<Checked> {
  const channel = await findChannelAccess(context.db, workspaceId, channelId);
  const signal = AbortSignal.timeout(PLATFORM_TIMEOUT_MS);
  const askedAt = context.now();
  try {
    await onChannel(context, channel, signal, (connector, call) => connector.check(call));
    return { channelId, attention: null, askedAt };
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error;
    const attention = attentionFor(error);
    if (!attention) throw unreachable(connectorOf(context, channel.platform), error);
    return { channelId, attention: { ...attention, foundBy: "check" }, askedAt };
  }
}

/** Stores what `checkChannel` has found. @throws {AppError} not_found `channel.missing` */
export async function storeCheck(
  { db }: Context,
  { workspaceId }: Actor,
  { channelId, attention, askedAt }: Checked,
): Promise<StoredChannel> {
  return inTransaction(db, async (tx) => {
    const { id, platform } = await findChannel(tx, workspaceId, channelId);
    await storeHealth(tx, { id, workspaceId, platform, attention }, askedAt);
    return findChannel(tx, workspaceId, channelId);
  });
}
