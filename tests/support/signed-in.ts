import { connectChannel } from "../../shared/commands/connect-channel.ts";
import { proveCredentials } from "../../shared/commands/prove-credentials.ts";
import type { Actor, Context } from "../../shared/context.ts";
import type { ChannelRow } from "../../shared/db/tables.ts";

/** A channel that is looked after, connected as the API does it. */
export async function aKeptChannel(
  context: Context,
  actor: Actor,
  platform: string,
  credentials: unknown,
): Promise<{ id: string; platform: string }> {
  const connection = await proveCredentials(context, platform, credentials);
  const name = `Channel of ${connection.remoteAccountId} ${Math.random()}`;
  const { id } = await connectChannel(context, actor, { platform, name, connection });
  return { id, platform };
}

export function readChannel({ db }: Context, id: string): Promise<ChannelRow> {
  return db.selectFrom("channels").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
}
