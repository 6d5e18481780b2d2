/** What a refusal becomes over HTTP; see `api/http/problem.ts`. */
export type AppErrorKind =
  | "invalid"
  | "unauthenticated"
  | "forbidden"
  | "not_found"
  | "conflict"
  | "precondition_failed"
  | "too_large"
  | "unsupported_type"
  | "unavailable";

/**
 * Names one place in the caller's input. `path` is a field of the body or of the query, as in `parts.0.text`; or `header.` and a
 * name, `file` of an upload, `body` as a whole, or `address`: the path that was asked.
 */
export interface FieldError {
  readonly path: string;
  readonly code: string;
  readonly detail: string;
  /** Facts that a program may use, such as the neighbours of a time that does not exist. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/**
 * We refuse and can say why. `code` is public and stable (`post.bad_state`); `detail` says what happened, what it means
 * and what to do, and holds no secret and no post text.
 */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly kind: AppErrorKind;
  readonly code: string;
  readonly fields: readonly FieldError[];

  constructor(
    kind: AppErrorKind,
    code: string,
    detail: string,
    fields: readonly FieldError[] = [],
  ) {
    super(detail);
    this.kind = kind;
    this.code = code;
    this.fields = fields;
  }
}
