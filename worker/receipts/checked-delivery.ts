import type { SentPart } from "../../shared/connectors/connector.ts";
import type { Context } from "../../shared/context.ts";
import type { DueReadBack } from "../../shared/db/read-backs.ts";
import type { CheckedPart } from "../../shared/domain/read-back.ts";
import { outgoingParts } from "../publishing/outgoing-parts.ts";

/** A published delivery and what of it readers should see. */
export interface CheckedDelivery {
  readonly delivery: DueReadBack;
  readonly parts: readonly (CheckedPart & SentPart)[];
}

/**
 * What readers should see of a delivery, by its receipts, as a person may have stopped a thread before its end.
 * @returns null where the content is another than the one that went out: then there is nothing to compare with
 */
export async function checkedDelivery(
  context: Context,
  delivery: DueReadBack,
): Promise<CheckedDelivery | null> {
  const { parts, contentHash } = await outgoingParts(context, delivery);
  if (contentHash !== delivery.contentHash) return null;
  const sent = delivery.receipts.map(({ part, remoteId }) => {
    const { text = "", media = [] } = parts[part] ?? {};
    return { part, remoteId, text, altTexts: media.map(({ altText }) => altText) };
  });
  return { delivery, parts: sent };
}
