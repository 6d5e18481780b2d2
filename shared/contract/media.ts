import * as z from "zod";

/** Longer than any platform's limit; what a channel takes is checked with the post. */
const AltText = z
  .string()
  .max(5_000)
  .transform((text) => text.normalize("NFC").trim())
  .describe("What the image shows, for people who cannot see it. Empty where it was not given.");

/** `POST /api/v1/media`, beside the file. */
export const UploadMediaFields = z.strictObject({ altText: AltText.default("") });

/** `POST /api/v1/media` as a form, for the description of the API. */
export const UploadMediaForm = z.object({
  file: z.string().meta({ format: "binary" }).describe("A JPEG, PNG, WebP or GIF image."),
  altText: z.string().max(5_000).optional().describe("What the image shows."),
});

/** `PATCH /api/v1/media/{id}` */
export const UpdateMediaRequest = z.strictObject({ altText: AltText });

export const MediaView = z
  .object({
    id: z.uuid(),
    filename: z.string(),
    contentType: z.enum(["image/jpeg", "image/png", "image/webp", "image/gif"]),
    byteLength: z.int(),
    width: z.int().describe("In pixels, as people see it."),
    height: z.int(),
    sha256: z.string().describe("Of the bytes that are stored and sent."),
    altText: z.string(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "Media" });

export type MediaView = z.output<typeof MediaView>;
