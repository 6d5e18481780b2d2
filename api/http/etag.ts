import type { Request } from "express";
import * as z from "zod";
import { AppError } from "../../shared/errors.ts";

export const IfMatchHeader = z.object({
  "If-Match": z
    .string()
    .optional()
    .describe("The `ETag` of the version that you read: another one is not changed, but refused."),
});

export const ETagHeader = z.object({
  ETag: z.string().describe("The version, for `If-Match`."),
});

/** The `ETag` of a version. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/**
 * Refuses a change that was made on an older version. Without `If-Match` every version is fine; a weak tag matches none, as it
 * does not promise that nothing differs (RFC 9110, 13.1.1).
 * @throws {AppError} precondition_failed `post.changed`
 */
export function requireMatch(req: Request, version: number): void {
  const header = req.headers["if-match"];
  if (header === undefined || header.trim() === "*") return;
  const tags = header.split(",").map((tag) => tag.trim());
  if (tags.includes(etagOf(version))) return;
  throw new AppError(
    "precondition_failed",
    "post.changed",
    "Somebody changed this in the meantime. Read it again, then repeat your change.",
    [
      {
        path: "header.If-Match",
        code: "post.changed",
        detail: `The present version is ${version}.`,
      },
    ],
  );
}
