import { connectorOf, openCredentials, signInOf } from "../../shared/commands/channel-calls.ts";
import { onChannel } from "../../shared/commands/on-channel.ts";
import { renewOrWait } from "../../shared/commands/renew-channel.ts";
import type { Call, Connector } from "../../shared/connectors/connector.ts";
import { ConnectorError } from "../../shared/connectors/error.ts";
import { flagChannel, healChannel } from "../../shared/db/channel-health.ts";
import { inTransaction } from "../../shared/db/client.ts";
import {
  planCheck,
  planSignIn,
  readKeptChannel,
  readSignIn,
  tellOfEnd,
  type ChannelAccess,
  type KeptChannel,
} from "../../shared/db/sign-ins.ts";
import { attentionFor, endsWithCheck } from "../../shared/domain/channel.ts";
import { checkAgainAt, type CheckOutcome } from "../../shared/domain/sign-in.ts";
import type { Handler, Work } from "../engine/handler.ts";

const CHECK_TIMEOUT_MS = 20_000;

/** Keeps one channel able to publish. Nobody waits for it, so whatever fails is found before a post is due. */
export const keepChannelHandler: Handler = async (work) => {
  const { context, lease, signal } = work;
  const channel = await readKeptChannel(context.db, lease.subjectId);
  if (!channel) return;
  context.observeClock(channel.now);
  const isWell = channel.attention === null;
  if (isWell && (await nextRenewal(work, channel)) <= channel.now) await renewAhead(work, channel);
  if (!signal.aborted && (channel.checkAt === null || channel.checkAt <= channel.now)) {
    await checkAgain(work, channel);
  }
};

/** For a sign-in whose end was not looked up yet, the plan is made now. */
async function nextRenewal({ context }: Work, channel: KeptChannel): Promise<Date> {
  if (channel.signInEndsAt) return channel.renewAt ?? NEVER;
  const connector = connectorOf(context, channel.platform);
  const credentials = openCredentials(context, connector, channel);
  const signIn = signInOf(connector, credentials, channel.now);
  if (!signIn.signInEndsAt) return NEVER;
  await planSignIn(context.db, channel, signIn);
  return signIn.renewAt ?? NEVER;
}

const NEVER = new Date(8_640_000_000_000_000);

async function renewAhead(work: Work, channel: KeptChannel): Promise<void> {
  const { context, signal } = work;
  const connector = connectorOf(context, channel.platform);
  try {
    await renewOrWait(context, connector, channel, { signal, isAhead: true });
    context.log.info({ channelId: channel.id }, "sign-in renewed");
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error;
    const { kind, platformCode } = error;
    context.log.warn({ channelId: channel.id, kind, platformCode }, "sign-in not renewed");
    // Otherwise it is tried again while there is time, and when there is none any more.
    if (attentionFor(error)) await settleRefusal(work, channel, error);
  }
}

/** Only a person can help, but a sign-in that still works goes on working until its end. */
async function settleRefusal(
  work: Work,
  channel: KeptChannel,
  refusal: ConnectorError,
): Promise<void> {
  const { db } = work.context;
  const attention = attentionFor(refusal);
  const hasEnded = channel.signInEndsAt !== null && channel.signInEndsAt <= channel.now;
  const stillWorks = !hasEnded && (await check(work, channel, { isRepeatable: false })) === null;
  if (stillWorks) await tellOfEnd(db, channel);
  else if (attention) await flagChannel(db, channel.id, attention, channel.now);
}

/** A platform that cannot be asked says nothing about the channel. */
async function checkAgain(work: Work, channel: KeptChannel): Promise<void> {
  const { db, log } = work.context;
  // A renewal just now has made it another one.
  const refusal = await check(work, await readSignIn(db, channel.id));
  const attention = refusal && attentionFor(refusal);
  const { id, workspaceId, platform } = channel;
  const outcome = outcomeOf(channel, refusal);
  await planCheck(db, id, checkAgainAt(outcome, channel.now, Math.random()));
  if (attention) await flagChannel(db, id, { ...attention, foundBy: "check" }, channel.now);
  if (refusal) log.warn({ channelId: id, kind: refusal.kind }, "channel check failed");
  if (outcome !== "well" || !channel.attention) return;
  await inTransaction(db, (tx) => healChannel(tx, { id, workspaceId, platform }));
  log.info({ channelId: id }, "channel is well again");
}

function outcomeOf(channel: KeptChannel, refusal: ConnectorError | null): CheckOutcome {
  if (refusal) return attentionFor(refusal) ? "needs_person" : "unknown";
  return channel.attention && !endsWithCheck(channel.attention) ? "needs_person" : "well";
}

/** @returns what is wrong; null where all is well */
async function check(
  { context, signal }: Work,
  channel: ChannelAccess,
  options = { isRepeatable: true },
): Promise<ConnectorError | null> {
  const ending = AbortSignal.any([signal, AbortSignal.timeout(CHECK_TIMEOUT_MS)]);
  try {
    const ask = (connector: Connector, call: Call) => connector.check(call);
    await onChannel(context, channel, ending, ask, options);
    return null;
  } catch (error) {
    if (error instanceof ConnectorError) return error;
    throw error;
  }
}
