import type { RequestHandler } from "express";
import multer, { MulterError } from "multer";
import { AppError } from "../../shared/errors.ts";

/** A multipart upload is one file and a few short fields. */
const MAX_FIELDS = 10;
const MAX_FIELD_BYTES = 20_000;

export interface UploadLimit {
  readonly maxBytes: number;
  /** Code of the refusal of a larger file, such as `media.too_large`. */
  readonly tooLarge: string;
}

/**
 * Reads one file, in the form field `file`, into `req.file.buffer`, and the other fields into `req.body`.
 * @throws {AppError} too_large with the given code; invalid `upload.file_missing`, `upload.malformed`; unsupported_type
 *   `request.type_unsupported`
 */
export function upload({ maxBytes, tooLarge }: UploadLimit): RequestHandler {
  const read = multer({
    storage: multer.memoryStorage(),
    limits: {
      files: 1,
      fileSize: maxBytes,
      fields: MAX_FIELDS,
      fieldSize: MAX_FIELD_BYTES,
      parts: MAX_FIELDS + 1,
    },
    defParamCharset: "utf8",
  }).single("file");
  return (req, res, next) => {
    if (!req.is("multipart/form-data")) {
      throw req.headers["content-type"] === undefined ? fileMissing() : notAForm();
    }
    void read(req, res, (error: unknown) => {
      if (isTooLarge(error)) {
        const detail = `The file is larger than ${maxBytes} bytes, which is the most that is accepted.`;
        next(
          new AppError("too_large", tooLarge, detail, [{ path: "file", code: tooLarge, detail }]),
        );
      } else if (error) next(malformed(error));
      else if (req.file) next();
      else next(fileMissing());
    });
  };
}

function isTooLarge(error: unknown): boolean {
  return error instanceof MulterError && error.code === "LIMIT_FILE_SIZE";
}

function fileMissing(): AppError {
  const detail = "Send the file as multipart/form-data, in the field `file`.";
  return new AppError("invalid", "upload.file_missing", detail, [
    { path: "file", code: "upload.file_missing", detail },
  ]);
}

function notAForm(): AppError {
  return new AppError(
    "unsupported_type",
    "request.type_unsupported",
    "Send the file as multipart/form-data, in the field `file`.",
  );
}

function malformed(cause: unknown): AppError {
  const code = "upload.malformed";
  const detail =
    "The upload cannot be read. Send one file, in the field `file`, and nothing unusual beside it.";
  const error = new AppError("invalid", code, detail, [{ path: "file", code, detail }]);
  error.cause = cause;
  return error;
}
