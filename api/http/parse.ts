import type * as z from "zod";
import { AppError, type FieldError } from "../../shared/errors.ts";

/** More would help nobody, and a hostile body can be wrong in a hundred thousand places. */
const MAX_FIELDS = 100;

/** Lone halves of surrogate pairs; a pair is one character to the `u` flag. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Checks what came from outside. A schema names an own code for a rule by `params: { code: "post.part_empty" }`.
 * @param base where the value stands, as in `header`; empty for a body or a query
 * @throws {AppError} invalid `request.invalid`, one field error for each place; `text.broken` for a text that cannot be stored
 */
export function parse<T>(schema: z.ZodType<T>, value: unknown, base = ""): T {
  refuseUnfit(value, base);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(fieldErrors(parsed.error.issues, base).slice(0, MAX_FIELDS));
}

function invalid(fields: readonly FieldError[]): AppError {
  const places = [...new Set(fields.map((field) => field.path))].join(", ");
  return new AppError(
    "invalid",
    "request.invalid",
    `The request is not as the API expects: look at ${places.slice(0, 300)}.`,
    fields,
  );
}

function fieldErrors(issues: readonly z.core.$ZodIssue[], base: string): FieldError[] {
  return issues.flatMap((issue) => {
    const path = [...(base === "" ? [] : [base]), ...issue.path].join(".");
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => unknownField(joined(path, key.slice(0, 60))));
    }
    if (issue.code === "invalid_union" && issue.errors.length > 0) {
      // The form that fits best is most likely the one that was meant.
      const closest = issue.errors.toSorted((a, b) => a.length - b.length)[0];
      return fieldErrors(closest ?? [], path);
    }
    return [{ path: path || "body", code: codeOf(issue), detail: issue.message }];
  });
}

function codeOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== "custom") return issue.code;
  const own: unknown = issue.params?.["code"];
  return typeof own === "string" ? own : "invalid";
}

function unknownField(path: string): FieldError {
  return { path, code: "unknown_field", detail: "This field is not known here." };
}

function brokenText(place: string): AppError {
  const path = place || "body";
  const detail = "The text holds half a character or a NUL character. Type it again.";
  return new AppError("invalid", "text.broken", detail, [{ path, code: "text.broken", detail }]);
}

/**
 * PostgreSQL stores neither NUL nor lone surrogates; and a key that would be a prototype is dropped by zod from records without a
 * word.
 * @throws {AppError} for the first place with one
 */
function refuseUnfit(value: unknown, path: string): void {
  if (typeof value === "string" && isBroken(value)) throw brokenText(path);
  if (typeof value !== "object" || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    if (isBroken(key)) throw brokenText(path);
    const place = joined(path, key);
    if (key === "__proto__") throw invalid([unknownField(place)]);
    refuseUnfit(item, place);
  }
}

function joined(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function isBroken(text: string): boolean {
  return text.includes("\0") || LONE_SURROGATE.test(text);
}
