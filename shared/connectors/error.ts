import type { FailureKind } from "../domain/failure.ts";

/**
 * The only error that a connector throws. `kind` decides what happens to the delivery; `platformMessage` is shown to
 * people word for word, so it is the platform's own sentence and never holds a token or the post's text.
 */
export class ConnectorError extends Error {
  override readonly name = "ConnectorError";
  readonly kind: FailureKind;
  readonly platformMessage: string | null;
  /** The platform's own machine-readable code or HTTP status, as text; null where it gave none. */
  readonly platformCode: string | null;
  /** For `rate_limited` and `quota_exhausted`: UTC instant from which the platform accepts requests again. */
  readonly until: Date | null;

  constructor(kind: FailureKind, details: ConnectorErrorDetails = {}) {
    super(details.platformMessage ?? kind, { cause: details.cause });
    this.kind = kind;
    this.platformMessage = details.platformMessage ?? null;
    this.platformCode = details.platformCode ?? null;
    this.until = details.until ?? null;
  }
}

export interface ConnectorErrorDetails {
  readonly platformMessage?: string | null;
  readonly platformCode?: string | null;
  readonly until?: Date | null;
  readonly cause?: unknown;
}
