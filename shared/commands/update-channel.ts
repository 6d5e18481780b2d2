import type { Connection } from "../connectors/connector.ts";
import type { Actor, Context } from "../context.ts";
import { healChannel } from "../db/channel-health.ts";
import {
  findChannel,
  isNameTaken,
  lockChannel,
  renameChannel,
  replaceCredentials,
  type StoredChannel,
} from "../db/channels.ts";
import { clock, inTransaction, type Tx } from "../db/client.ts";
import { wake } from "../db/outbox.ts";
import { addEvents } from "../db/events.ts";
import { AppError } from "../errors.ts";
import { nameTaken } from "./connect-channel.ts";
import { connectorOf, credentialsIdentity, signInOf } from "./channel-calls.ts";

export interface ChannelChanges {
  readonly channelId: string;
  readonly name?: string | undefined;
  /** Proven just before, by `proveCredentials`. */
  readonly connection?: Connection<unknown> | undefined;
}

/**
 * Renames a channel, or gives it new credentials for the same account, which also ends its need for attention.
 * @throws {AppError} not_found `channel.missing`; conflict `channel.name_taken`, `channel.other_account`
 */
export async function updateChannel(
  context: Context,
  { workspaceId }: Actor,
  { channelId, name, connection }: ChannelChanges,
): Promise<StoredChannel> {
  return inTransaction(context.db, async (tx) => {
    await lockChannel(tx, workspaceId, channelId);
    if (name !== undefined) await rename(tx, { workspaceId, id: channelId, name });
    if (connection) {
      const { remoteAccountId, platform } = await findChannel(tx, workspaceId, channelId);
      await reconnect(context, tx, { channelId, remoteAccountId, platform, connection });
    }
    await addEvents(tx, [{ workspaceId, type: "channel.updated", subjectId: channelId }]);
    // Last, as it wakes the channel.
    if (connection) await goOn(tx, workspaceId, channelId);
    return findChannel(tx, workspaceId, channelId);
  });
}

async function rename(
  tx: Tx,
  channel: { workspaceId: string; id: string; name: string },
): Promise<void> {
  if (await isNameTaken(tx, channel)) throw nameTaken();
  await renameChannel(tx, channel.id, channel.name);
}

async function reconnect(
  context: Context,
  tx: Tx,
  channel: {
    channelId: string;
    remoteAccountId: string;
    platform: string;
    connection: Connection<unknown>;
  },
): Promise<void> {
  const { channelId, connection } = channel;
  if (connection.remoteAccountId !== channel.remoteAccountId) {
    const code = "channel.other_account";
    const detail = `These credentials belong to ${connection.handle}, another account. Connect that as a channel of its own.`;
    throw new AppError("conflict", code, detail, [{ path: "credentials", code, detail }]);
  }
  const identity = credentialsIdentity(channelId);
  const sealedCredentials = context.sealer.seal(connection.credentials, identity);
  const connector = connectorOf(context, channel.platform);
  const signIn = signInOf(connector, connection.credentials, context.now());
  await replaceCredentials(tx, channelId, { ...connection, sealedCredentials, ...signIn });
}

/** What waited for the channel goes out, and its new sign-in is looked after. */
async function goOn(tx: Tx, workspaceId: string, channelId: string): Promise<void> {
  const { id, platform } = await findChannel(tx, workspaceId, channelId);
  await healChannel(tx, { id, workspaceId, platform });
  const runAt = await clock(tx);
  await wake(tx, [{ job: "keep-channel", lane: platform, subjectId: id, runAt }]);
}
