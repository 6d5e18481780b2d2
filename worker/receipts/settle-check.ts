import type { ShownPart } from "../../shared/connectors/connector.ts";
import type { ConnectorError } from "../../shared/connectors/error.ts";
import { flagChannel } from "../../shared/db/channel-health.ts";
import {
  postponeReadBacks,
  recordReadBacks,
  type DueReadBack,
  type DueReadBacks,
  type PostponedReadBack,
  type ReadBackRecord,
} from "../../shared/db/read-backs.ts";
import { attentionFor } from "../../shared/domain/channel.ts";
import {
  afterFailedReadBack,
  differencesOf,
  doubtUntil,
  nextReadBackAt,
  verdictOf,
} from "../../shared/domain/read-back.ts";
import type { Work } from "../engine/handler.ts";
import type { CheckedDelivery } from "./checked-delivery.ts";

/** Writes down what the platform shows, but believes that a young post is missing only when it has looked again. */
export async function settleCheck(
  { context }: Work,
  { now }: DueReadBacks,
  {
    checked,
    shown,
  }: { checked: readonly CheckedDelivery[]; shown: ReadonlyMap<string, ShownPart> },
): Promise<void> {
  const postponed: PostponedReadBack[] = [];
  const records: ReadBackRecord[] = [];
  for (const { delivery, parts } of checked) {
    const { id: deliveryId, publishedAt } = delivery;
    const differences = differencesOf(parts, shown);
    const verdict = verdictOf(differences);
    const until = verdict === "missing" ? doubtUntil(publishedAt, now) : null;
    if (until) {
      postponed.push({ deliveryId, until, hasFailed: false });
      continue;
    }
    if (verdict !== "matches") context.log.warn({ deliveryId, verdict }, "receipt does not hold");
    const nextAt = nextReadBackAt(publishedAt, now);
    records.push({ deliveryId, verdict, differences, reason: null, nextAt });
  }
  await store(context, records, postponed);
}

/** Writes down that the platform could not be read: looked at again later, or given up. */
export async function settleFailedCheck(
  { context }: Work,
  { channel, now }: DueReadBacks,
  deliveries: readonly DueReadBack[],
  error: ConnectorError,
): Promise<void> {
  const { id: channelId } = channel;
  const { kind, until, platformCode } = error;
  context.log.warn({ channelId, kind, platformCode }, "receipts could not be checked");
  // A right to read may be missing while publishing goes on; a sign-in that has ended concerns both.
  const attention = kind === "reauthorize" ? attentionFor(error) : null;
  if (attention) await flagChannel(context.db, channelId, attention, now);
  const postponed: PostponedReadBack[] = [];
  const records: ReadBackRecord[] = [];
  for (const { id: deliveryId, tries, publishedAt } of deliveries) {
    const again = afterFailedReadBack({ kind, until, tries, now });
    if (again) {
      postponed.push({ deliveryId, until: again, hasFailed: true });
      continue;
    }
    const nextAt = nextReadBackAt(publishedAt, now);
    records.push({ deliveryId, verdict: "unreadable", differences: [], reason: kind, nextAt });
  }
  await store(context, records, postponed);
}

async function store(
  { db }: Work["context"],
  records: readonly ReadBackRecord[],
  postponed: readonly PostponedReadBack[],
): Promise<void> {
  if (records.length > 0) await recordReadBacks(db, records);
  if (postponed.length > 0) await postponeReadBacks(db, postponed);
}
