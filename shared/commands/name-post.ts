import { ConnectorError } from "../connectors/error.ts";
import type { Actor, Context } from "../context.ts";
import { findSettleable } from "../db/delivery-settlement.ts";
import { remoteIdFrom } from "../domain/permalink.ts";
import { AppError } from "../errors.ts";
import { badState, deliveryMissing } from "./delivery-refusals.ts";
import { onChannel } from "./on-channel.ts";
import { PLATFORM_TIMEOUT_MS, unreachable } from "./prove-credentials.ts";

/**
 * The platform's id of a post that a person found at an address. May ask the platform: never inside a transaction. Repeatable.
 * @throws {AppError} not_found `delivery.missing`; conflict `delivery.bad_state`; invalid `delivery.no_remote_id`; unavailable
 *   `channel.platform_unreachable`
 */
export async function namePost(
  context: Context,
  { workspaceId }: Actor,
  { deliveryId, permalink }: { readonly deliveryId: string; readonly permalink: string },
): Promise<string> {
  const delivery = await findSettleable(context.db, workspaceId, deliveryId);
  if (!delivery) throw deliveryMissing();
  if (delivery.state !== "unknown") throw badState(delivery.state, "be settled by a person");
  const connector = context.connectors.get(delivery.channel.platform);
  if (!connector?.remoteIdOf) return known(remoteIdFrom(permalink));
  const signal = AbortSignal.timeout(PLATFORM_TIMEOUT_MS);
  try {
    return known(
      await onChannel(
        context,
        delivery.channel,
        signal,
        async (platform, call) => (await platform.remoteIdOf?.(permalink, call)) ?? null,
      ),
    );
  } catch (error) {
    if (error instanceof ConnectorError) throw unreachable(connector, error);
    throw error;
  }
}

function known(remoteId: string | null): string {
  if (remoteId !== null) return remoteId;
  const code = "delivery.no_remote_id";
  const detail =
    "The address names no post of this channel. Copy the address of the post itself, or give its id.";
  throw new AppError("invalid", code, detail, [{ path: "permalink", code, detail }]);
}
