import { fileTypeFromBuffer } from "file-type";
import sharp, { type Sharp } from "sharp";
import { AppError } from "./errors.ts";

/** An image that was decoded and written anew: nothing but the picture is left in it. */
export interface CleanImage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly contentType: ImageType;
  /** In pixels, after rotation; of one frame where there are several. */
  readonly width: number;
  readonly height: number;
}

const EXTENSIONS = {
  "image/jpeg": ["jpg", "jpeg", "jpe", "jfif"],
  "image/png": ["png"],
  "image/webp": ["webp"],
  "image/gif": ["gif"],
} as const;

type ImageType = keyof typeof EXTENSIONS;

/** Of all frames together. A small file can claim far more than memory holds. */
const MAX_PIXELS = 100_000_000;

/** High enough that a second encoding is not seen. */
const QUALITY = 92;

/**
 * Proves that bytes are the image that they claim to be, and writes it anew: upright, without place, camera or comments.
 * @param claimed what the sender says; an empty name and `application/octet-stream` claim nothing
 * @throws {AppError} invalid `media.type_unsupported`, `media.type_mismatch`, `media.broken`, `media.too_many_pixels`
 */
export async function cleanImage(
  bytes: Uint8Array,
  claimed: { filename: string; contentType: string },
): Promise<CleanImage> {
  const contentType = await sniff(bytes);
  if (!fits(contentType, claimed)) {
    throw refusal(
      "media.type_mismatch",
      `The file is ${contentType} but its name or type says otherwise. Rename it, or send the right one.`,
    );
  }
  try {
    return await writeAnew(bytes, contentType);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const error = refusal("media.broken", "The image cannot be read to its end. Export it again.");
    error.cause = cause;
    throw error;
  }
}

/** The encoders write no metadata unless they are asked to. */
const ENCODERS: Record<ImageType, (picture: Sharp) => Sharp> = {
  "image/jpeg": (picture) => picture.jpeg({ quality: QUALITY }),
  "image/png": (picture) => picture.png(),
  "image/webp": (picture) => picture.webp({ quality: QUALITY }),
  "image/gif": (picture) => picture.gif(),
};

async function sniff(bytes: Uint8Array): Promise<ImageType> {
  // A file that ends in the middle of its header is an error there, not an unknown type.
  const found = await fileTypeFromBuffer(bytes).catch(() => undefined);
  const types = Object.keys(EXTENSIONS).filter(isImageType);
  const contentType = types.find((type) => type === found?.mime);
  if (contentType) return contentType;
  throw refusal("media.type_unsupported", "Only JPEG, PNG, WebP and GIF images are accepted.");
}

function isImageType(type: string): type is ImageType {
  return type in EXTENSIONS;
}

function fits(actual: ImageType, claimed: { filename: string; contentType: string }): boolean {
  const said = claimed.contentType.replace("image/jpg", "image/jpeg");
  const claimsNothing = said === "" || said === "application/octet-stream";
  const extension = /\.([^.]*)$/.exec(claimed.filename)?.[1]?.toLowerCase();
  const known: readonly string[] = EXTENSIONS[actual];
  return (
    (claimsNothing || said === actual) && (extension === undefined || known.includes(extension))
  );
}

async function writeAnew(bytes: Uint8Array, contentType: ImageType): Promise<CleanImage> {
  // Metadata alone is read without decoding, whatever size the file claims.
  const claimed = await sharp(bytes, { limitInputPixels: false }).metadata();
  const frames = claimed.pages ?? 1;
  if (claimed.width * claimed.height * frames > MAX_PIXELS) {
    throw refusal(
      "media.too_many_pixels",
      `The image has more than ${MAX_PIXELS / 1_000_000} million pixels. Make it smaller.`,
    );
  }
  const isAnimated = frames > 1;
  const options = { failOn: "error", animated: isAnimated, limitInputPixels: MAX_PIXELS } as const;
  const picture = sharp(bytes, options);
  // Frames stand on top of each other while they are worked on: turning them would mix them up.
  const upright = isAnimated ? picture : picture.autoOrient();
  const { data, info } = await ENCODERS[contentType](upright).toBuffer({ resolveWithObject: true });
  const height = isAnimated ? (info.pageHeight ?? claimed.height) : info.height;
  return { bytes: new Uint8Array(data), contentType, width: info.width, height };
}

function refusal(code: string, detail: string): AppError {
  return new AppError("invalid", code, detail, [{ path: "file", code, detail }]);
}
