import type { OutgoingMedia, OutgoingPart } from "../../shared/connectors/connector.ts";
import type { Context } from "../../shared/context.ts";
import type { DueDelivery } from "../../shared/db/deliveries.ts";
import type { MediaRow } from "../../shared/db/tables.ts";
import { contentHash, idempotencyKey, partsFor, placeLink } from "../../shared/domain/content.ts";

/** What goes out, without the place in a thread, which is known only when the part before it is out. */
export type PlannedPart = Omit<OutgoingPart, "thread">;

/** What a delivery is made of. */
type Content = Pick<
  DueDelivery,
  "id" | "workspaceId" | "parts" | "variant" | "link" | "capabilities"
>;

/** The parts of a delivery as its channel shows them, and the hash of exactly these. */
export async function outgoingParts(
  context: Context,
  delivery: Content,
): Promise<{ parts: readonly PlannedPart[]; contentHash: string }> {
  const { showsLinkCard } = delivery.capabilities;
  const words = partsFor(delivery.parts, delivery.variant);
  const { parts: contents, card } = placeLink(words, delivery.link, showsLinkCard);
  const ids = contents.flatMap((part) => part.mediaIds);
  const media = await loadMedia(context, delivery.workspaceId, ids);
  const rowsOf = (mediaIds: readonly string[]) =>
    mediaIds.flatMap((id) => {
      const row = media.get(id);
      return row ? [row] : [];
    });
  const sealed = contents.map((part) => ({
    text: part.text,
    media: rowsOf(part.mediaIds).map(({ sha256, altText }) => ({ sha256, altText })),
  }));
  const hash = contentHash(sealed, card);
  const parts = contents.map((part, index) => ({
    text: part.text,
    media: rowsOf(part.mediaIds).map((row) => outgoingMedia(context, row)),
    link: index === 0 ? card : null,
    idempotencyKey: idempotencyKey(delivery.id, index, hash),
  }));
  return { parts, contentHash: hash };
}

async function loadMedia(
  context: Context,
  workspaceId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, MediaRow>> {
  if (ids.length === 0) return new Map();
  const rows = await context.db
    .selectFrom("media")
    .selectAll()
    .where("workspaceId", "=", workspaceId)
    .where("id", "in", ids)
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

function outgoingMedia(context: Context, row: MediaRow): OutgoingMedia {
  const { id, contentType, byteLength, width, height, altText } = row;
  const read = () => context.media.read(row.workspaceId, row.sha256);
  return { id, contentType, byteLength, width, height, altText, read };
}
