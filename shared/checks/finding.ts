import type { FieldError } from "../errors.ts";

/** What a check says about a place in a post. */
export interface Finding {
  /** Stable, such as `text.too_long`. */
  readonly rule: string;
  /** An `error` is something that the platform would refuse; a `warning` is for the author to weigh. */
  readonly severity: "error" | "warning";
  /** As in the request: `parts.0.text`, or `variants.<channelId>.parts.0.text`. */
  readonly field: string;
  /** The span of the text in UTF-16 units; null for the whole field. */
  readonly start: number | null;
  readonly end: number | null;
  readonly because: string;
  readonly suggestion: string | null;
  /** Ids and numbers that a program may use. Never a piece of the text. */
  readonly facts: Readonly<Record<string, string | number>>;
}

/** An error of a check as the refusal of the place that it speaks of. */
export function asFieldError({ field, rule, because, facts }: Finding): FieldError {
  return { path: field, code: rule, detail: because, facts };
}
