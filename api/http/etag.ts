import type { Request } from "express";
import { AppError } from "../../shared/errors.ts";

/** The `ETag` of a version. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/**
 * Refuses a change that was made on an older version. Without `If-Match` every version is fine.
 * @throws {AppError} precondition_failed `post.changed`
 */
export function requireMatch(req: Request, version: number): void {
  const header = req.headers["if-match"];
  if (header === undefined || header.trim() === "*") return;
  // A proxy that compresses answers marks the tag as weak; it is still the version that the client saw.
  const tags = header.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  if (tags.includes(etagOf(version))) return;
  throw new AppError(
    "precondition_failed",
    "post.changed",
    "Somebody changed this in the meantime. Read it again, then repeat your change.",
    [{ path: "If-Match", code: "post.changed", detail: `The present version is ${version}.` }],
  );
}
