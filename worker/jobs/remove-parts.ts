import { v7 as uuidv7 } from "uuid";
import { onChannel } from "../../shared/commands/on-channel.ts";
import { ConnectorError } from "../../shared/connectors/error.ts";
import { flagChannel } from "../../shared/db/channel-health.ts";
import {
  nextRemoval,
  recordFailedRemoval,
  recordRemoved,
  type DueRemoval,
} from "../../shared/db/removals.ts";
import { attentionFor } from "../../shared/domain/channel.ts";
import { afterFailedRemoval } from "../../shared/domain/removal.ts";
import type { Handler, Work } from "../engine/handler.ts";

const REMOVE_TIMEOUT_MS = 30_000;

/**
 * Takes away, the last part first, what people want gone on one channel: a thread that loses its beginning first would leave
 * parts behind that make no sense. Killed anywhere, it goes on with the part in hand, as what is gone already is no error.
 */
export const removePartsHandler: Handler = async (work) => {
  const { subjectId: channelId, fence } = work.lease;
  while (!work.signal.aborted) {
    const due = await nextRemoval(work.context.db, { channelId, fence });
    if (!due) return;
    work.context.observeClock(due.now);
    await removeNext(work, due);
  }
};

async function removeNext(work: Work, due: DueRemoval): Promise<void> {
  const { db, log } = work.context;
  const { deliveryId, part } = due;
  const failure = part && (await remove(work, due, part.remoteId));
  // Asked to shut down: the next worker goes on with this part, at once and without a penalty.
  if (failure && work.signal.aborted) return;
  if (part && failure) {
    await settleFailure(work, due, { part: part.part, failure });
    return;
  }
  log.info({ deliveryId, part: part?.part ?? null }, "part removed");
  await recordRemoved(db, { id: uuidv7(), deliveryId, part: part?.part ?? null });
}

/** @returns why it is still there; null where it is gone */
async function remove(
  { context, signal }: Work,
  { channel, deliveryId }: DueRemoval,
  remoteId: string,
): Promise<ConnectorError | null> {
  try {
    const ending = AbortSignal.any([signal, AbortSignal.timeout(REMOVE_TIMEOUT_MS)]);
    await onChannel(context, channel, ending, async (connector, call) => {
      // Refused when it was wished for; the platform's folder may be another version by now.
      if (!connector.remove) throw new ConnectorError("permission");
      await connector.remove(remoteId, call);
    });
    return null;
  } catch (error) {
    if (error instanceof ConnectorError) return error;
    context.log.error({ err: error, deliveryId }, "removal failed in our own code");
    return new ConnectorError("bug", { cause: error });
  }
}

async function settleFailure(
  { context }: Work,
  { deliveryId, tries, now, channel }: DueRemoval,
  { part, failure }: { readonly part: number; readonly failure: ConnectorError },
): Promise<void> {
  const { kind, until, platformMessage, platformCode } = failure;
  const next = afterFailedRemoval({ kind, until, tries, now, chance: Math.random() });
  context.log.warn({ deliveryId, part, kind, platformCode, at: next.at }, "part not removed");
  const error = { kind, platformMessage, platformCode };
  // A right to delete may be missing while publishing goes on; a sign-in that has ended concerns both.
  const attention = kind === "reauthorize" ? attentionFor(error) : null;
  if (attention) await flagChannel(context.db, channel.id, attention, now);
  await recordFailedRemoval(context.db, { id: uuidv7(), deliveryId, part, error, ...next });
}
