import { connectorOf } from "../../shared/commands/channel-calls.ts";
import { onChannel } from "../../shared/commands/on-channel.ts";
import type { ShownPart } from "../../shared/connectors/connector.ts";
import { ConnectorError } from "../../shared/connectors/error.ts";
import { dropReadBacks, dueReadBacks, type DueReadBacks } from "../../shared/db/read-backs.ts";
import { mayBlameOnePost } from "../../shared/domain/read-back.ts";
import type { Handler, Work } from "../engine/handler.ts";
import { checkedDelivery, type CheckedDelivery } from "../receipts/checked-delivery.ts";
import { inRequests } from "../receipts/in-requests.ts";
import { settleCheck, settleFailedCheck } from "../receipts/settle-check.ts";

const READ_TIMEOUT_MS = 30_000;

/** Checks the receipts of one channel that are due, a request's worth at a time. */
export const checkReceiptsHandler: Handler = async (work) => {
  while (!work.signal.aborted) {
    const due = await dueReadBacks(work.context.db, work.lease.subjectId);
    if (!due) return;
    work.context.observeClock(due.now);
    if (connectorOf(work.context, due.channel.platform).readBack) await checkAll(work, due);
    else await dropReadBacks(work.context.db, due.channel.id);
  }
};

async function checkAll(work: Work, due: DueReadBacks): Promise<void> {
  const { batch } = due.channel.capabilities.engagement;
  const groups = inRequests(await comparable(work, due), ({ parts }) => parts.length, batch);
  for (let group = groups.shift(); group && !work.signal.aborted; group = groups.shift()) {
    const shown = await read(work, due, group);
    if (!(shown instanceof ConnectorError)) {
      await settleCheck(work, due, { checked: group, shown });
    } else if (work.signal.aborted) {
      // The next worker asks again, at once and without a penalty.
      return;
    } else if (mayBlameOnePost(shown.kind) && group.length > 1) {
      groups.unshift(...group.map((one) => [one]));
    } else {
      // What ails the platform ails the others too: they wait as well instead of running into it.
      const others = mayBlameOnePost(shown.kind) ? [] : groups.splice(0).flat();
      const deliveries = [...group, ...others].map(({ delivery }) => delivery);
      await settleFailedCheck(work, due, deliveries, shown);
    }
  }
}

/** What is out cannot be edited here, so content that has changed was changed by hand, or by a new version's rules. */
async function comparable(work: Work, due: DueReadBacks): Promise<readonly CheckedDelivery[]> {
  const { deliveries } = due;
  const checked = await Promise.all(deliveries.map((each) => checkedDelivery(work.context, each)));
  const changed = deliveries.filter((_, index) => checked[index] === null);
  if (changed.length > 0) {
    const platformCode = "content_changed";
    await settleFailedCheck(work, due, changed, new ConnectorError("bug", { platformCode }));
  }
  return checked.filter((each) => each !== null);
}

async function read(
  { context, signal }: Work,
  { channel }: DueReadBacks,
  group: readonly CheckedDelivery[],
): Promise<ReadonlyMap<string, ShownPart> | ConnectorError> {
  const parts = group.flatMap((one) => one.parts);
  const { batch } = channel.capabilities.engagement;
  const shown = new Map<string, ShownPart>();
  try {
    for (let start = 0; start < parts.length; start += batch) {
      const some = parts.slice(start, start + batch);
      const ending = AbortSignal.any([signal, AbortSignal.timeout(READ_TIMEOUT_MS)]);
      const found = await onChannel(
        context,
        channel,
        ending,
        async (connector, call) => (await connector.readBack?.(some, call)) ?? [],
      );
      for (const [id, part] of found) shown.set(id, part);
    }
    return shown;
  } catch (error) {
    if (error instanceof ConnectorError) return error;
    throw error;
  }
}
