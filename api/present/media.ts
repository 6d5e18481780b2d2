import { MediaView } from "../../shared/contract/media.ts";
import type { MediaRow } from "../../shared/db/tables.ts";

/** What is shown of an image; its bytes have an address of their own. */
export function presentMedia(medium: MediaRow): MediaView {
  return {
    id: medium.id,
    filename: medium.filename,
    contentType: MediaView.shape.contentType.parse(medium.contentType),
    byteLength: medium.byteLength,
    width: medium.width,
    height: medium.height,
    sha256: medium.sha256,
    altText: medium.altText,
    createdAt: medium.createdAt.toISOString(),
  };
}
