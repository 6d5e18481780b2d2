import { setTimeout as pause } from "node:timers/promises";
import type { Connector } from "../connectors/connector.ts";
import { ConnectorError } from "../connectors/error.ts";
import type { Context } from "../context.ts";
import {
  giveUpRenewal,
  readSignIn,
  storeRenewal,
  takeRenewal,
  type ChannelAccess,
  type SignIn,
  type TakenRenewal,
} from "../db/sign-ins.ts";
import { isUnreachable } from "../db/unreachable.ts";
import { RENEWAL_LOST } from "../domain/channel.ts";
import { renewAgainAt } from "../domain/sign-in.ts";
import { callFor, credentialsIdentity, openCredentials, signInOf } from "./channel-calls.ts";

/** One request that a person may be waiting for. */
const RENEWAL_TIMEOUT_MS = 10_000;

/** After it whoever took the right to renew is taken for dead. Begun only while there is time to end it. */
const LOCK_MS = 20_000;
const LOOK_MS = 100;

/** A restart of PostgreSQL must not cost the new sign-in. */
const KEEP_STORING_MS = 60_000;
const STORE_AGAIN_MS = 250;

/**
 * Renews a sign-in, or waits for whoever does so and takes the result. Never twice at once across all processes, and never cut
 * off by the caller's signal, which ends the waiting only.
 * @param options.isAhead the sign-in still works, so nobody waits for it: where it is not our turn it comes back as it is
 * @throws {ConnectorError} as the platform; `unavailable` where somebody else's renewal failed or takes too long
 */
export async function renewOrWait(
  context: Context,
  connector: Connector,
  channel: ChannelAccess,
  { signal, isAhead }: { readonly signal: AbortSignal; readonly isAhead: boolean },
): Promise<ChannelAccess> {
  for (let hasWaited = false; ; hasWaited = true) {
    if (signal.aborted)
      throw new ConnectorError("unavailable", { platformCode: "renewal_awaited" });
    const askedAtMs = performance.now();
    const current = hasWaited ? await readSignIn(context.db, channel.id) : null;
    if (current && current.credentialsVersion !== channel.credentialsVersion) return current;
    if (current?.renewing === "nobody") {
      throw new ConnectorError("unavailable", { platformCode: "renewal_failed" });
    }
    const taken =
      current?.renewing === "somebody"
        ? null
        : await takeRenewal(context.db, channel, { lockMs: LOCK_MS, isAhead });
    if (taken) return renew(context, connector, channel, { taken, askedAtMs });
    if (isAhead) return readSignIn(context.db, channel.id);
    await pause(LOOK_MS);
  }
}

interface Turn {
  readonly taken: TakenRenewal;
  /** `performance.now()` from before the right was asked for. */
  readonly askedAtMs: number;
}

async function renew(
  context: Context,
  connector: Connector,
  channel: ChannelAccess,
  { taken, askedAtMs }: Turn,
): Promise<ChannelAccess> {
  const { renewal } = connector;
  const old = openCredentials(context, connector, channel);
  try {
    if (!renewal) throw new ConnectorError("reauthorize");
    // Frozen since then: somebody else may be renewing by now.
    if (performance.now() - askedAtMs > LOCK_MS - RENEWAL_TIMEOUT_MS) {
      throw new ConnectorError("unavailable", { platformCode: "renewal_too_late" });
    }
    const signal = AbortSignal.timeout(RENEWAL_TIMEOUT_MS);
    const answer = await renewal.renew(callFor(context, connector, old, signal));
    const parsed = connector.credentials.safeParse(answer);
    // What could not be used must not take the old credentials from us.
    if (!parsed.success) {
      throw new ConnectorError("unavailable", { platformCode: "unreadable_renewal" });
    }
    return await keep(context, channel, {
      sealedCredentials: context.sealer.seal(parsed.data, credentialsIdentity(channel.id)),
      ...signInOf(connector, parsed.data, context.now()),
    });
  } catch (error) {
    const endsAt = renewal?.expiresAt(old) ?? null;
    return orNewer(context, channel, { error, taken, endsAt });
  }
}

async function keep(
  { db }: Context,
  channel: ChannelAccess,
  renewed: SignIn & { readonly sealedCredentials: Buffer },
): Promise<ChannelAccess> {
  const end = performance.now() + KEEP_STORING_MS;
  for (;;) {
    try {
      const isStored = await storeRenewal(db, channel, renewed);
      // Otherwise a person has signed in meanwhile, or an earlier try of this loop was heard after all.
      if (!isStored) return await readSignIn(db, channel.id);
      const { sealedCredentials } = renewed;
      const credentialsVersion = channel.credentialsVersion + 1;
      return { ...channel, sealedCredentials, credentialsVersion };
    } catch (error) {
      if (!isUnreachable(error) || performance.now() > end) throw error;
    }
    await pause(STORE_AGAIN_MS);
  }
}

interface FailedRenewal {
  readonly error: unknown;
  readonly taken: TakenRenewal;
  readonly endsAt: Date | null;
}

/** Before a refusal is believed: another process may have renewed, or a person signed in, which is why we were refused. */
async function orNewer(
  context: Context,
  channel: ChannelAccess,
  { error, taken, endsAt }: FailedRenewal,
): Promise<ChannelAccess> {
  const isAnswered = error instanceof ConnectorError && error.kind !== "unavailable";
  const renewAt = renewAgainAt(endsAt, context.now());
  await giveUpRenewal(context.db, channel, { ...taken, isAnswered, renewAt });
  const current = await readSignIn(context.db, channel.id);
  if (current.credentialsVersion !== channel.credentialsVersion) return current;
  if (!isAnswered || error.kind !== "reauthorize" || !taken.wasInterrupted) throw error;
  const { kind, platformMessage } = error;
  throw new ConnectorError(kind, { platformMessage, platformCode: RENEWAL_LOST, cause: error });
}
