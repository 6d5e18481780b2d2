import { crc32 } from "node:zlib";
import sharp from "sharp";

/** A kind of picture that may be uploaded. */
export type Format = "jpeg" | "png" | "webp" | "gif";

/** A plain picture of the given size. */
export function aPicture(format: Format, size = { width: 6, height: 4 }): Promise<Buffer> {
  const channels = 3 as const;
  return sharp({ create: { ...size, channels, background: "teal" } })
    .toFormat(format)
    .toBuffer();
}

/** A moving picture of three frames. */
export async function aMovingPicture(): Promise<Buffer> {
  const frames = await Promise.all(
    ["red", "green", "blue"].map((background) =>
      sharp({ create: { width: 5, height: 7, channels: 3, background } })
        .png()
        .toBuffer(),
    ),
  );
  return sharp(frames, { join: { animated: true } })
    .gif()
    .toBuffer();
}

/** A photograph as telephones make it: lying on its side, and telling where it was taken. */
export function aPhotograph(): Promise<Buffer> {
  return sharp({ create: { width: 8, height: 2, channels: 3, background: "navy" } })
    .withExif({
      IFD0: { Make: "SecretCamera" },
      IFD3: { GPSLatitudeRef: "N", GPSLatitude: "40/1 26/1 46/1" },
    })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer();
}

/** The same PNG with another size in its header. */
export function claiming(
  png: Buffer,
  { width, height }: { width: number; height: number },
): Buffer {
  const forged = Buffer.from(png);
  const header = forged.subarray(12, 29);
  forged.writeUInt32BE(width, 16);
  forged.writeUInt32BE(height, 20);
  forged.writeUInt32BE(crc32(header), 29);
  return forged;
}

/** A form as browsers send it; `more` holds other fields, and the file's claimed `type`. */
export function aForm(
  bytes: Uint8Array,
  filename: string,
  more: Record<string, string> = {},
): FormData {
  const form = new FormData();
  const { type = "", ...fields } = more;
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set("file", new Blob([new Uint8Array(bytes)], { type }), filename);
  return form;
}
