import { v7 as uuidv7 } from "uuid";
import type { Connection } from "../connectors/connector.ts";
import type { Actor, Context } from "../context.ts";
import { checkAgainAt } from "../domain/sign-in.ts";
import { findChannel, insertChannel, isConnected, type StoredChannel } from "../db/channels.ts";
import { inTransaction } from "../db/client.ts";
import { addEvents } from "../db/events.ts";
import { wake } from "../db/outbox.ts";
import { AppError } from "../errors.ts";
import { connectorOf, credentialsIdentity, signInOf } from "./channel-calls.ts";

/**
 * Stores a channel whose credentials were proven just before, by `proveCredentials`.
 * @throws {AppError} conflict `channel.exists`, `channel.name_taken`
 */
export async function connectChannel(
  context: Context,
  { workspaceId }: Actor,
  input: { platform: string; name: string; connection: Connection<unknown> },
): Promise<StoredChannel> {
  const { db, sealer } = context;
  const { platform, name, connection } = input;
  const { remoteAccountId, handle, capabilities } = connection;
  const id = uuidv7();
  const sealedCredentials = sealer.seal(connection.credentials, credentialsIdentity(id));
  const now = context.now();
  const signIn = signInOf(connectorOf(context, platform), connection.credentials, now);
  const account = { remoteAccountId, handle, capabilities, sealedCredentials, ...signIn };
  const checkAt = checkAgainAt("well", now, Math.random());
  return inTransaction(db, async (tx) => {
    if (!(await insertChannel(tx, { id, workspaceId, platform, name, checkAt, ...account }))) {
      const isKnown = await isConnected(tx, { workspaceId, platform, remoteAccountId });
      throw isKnown ? exists(handle) : nameTaken();
    }
    await addEvents(tx, [{ workspaceId, type: "channel.connected", subjectId: id }]);
    const channel = await findChannel(tx, workspaceId, id);
    const runAt = earlier(checkAt, signIn.renewAt);
    await wake(tx, [{ job: "keep-channel", lane: platform, subjectId: id, runAt }]);
    return channel;
  });
}

function earlier(one: Date, other: Date | null): Date {
  return other !== null && other < one ? other : one;
}

/** Another channel is called so already. */
export function nameTaken(): AppError {
  const code = "channel.name_taken";
  const detail = "Another channel has this name. Choose another one.";
  return new AppError("conflict", code, detail, [{ path: "name", code, detail }]);
}

function exists(handle: string): AppError {
  const code = "channel.exists";
  const detail = `The account ${handle} is connected already. To renew its sign-in, change that channel's credentials.`;
  return new AppError("conflict", code, detail, [{ path: "credentials", code, detail }]);
}
