/** A store that we cannot work with: one sentence with the remedy and without the password. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  /** `unreachable` may pass by itself; `unfit` stays until a person changes something. */
  readonly kind: "unreachable" | "unfit";

  constructor(kind: "unreachable" | "unfit", message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  ENOTFOUND: "unknown host name",
  EAI_AGAIN: "the host name could not be looked up",
  ETIMEDOUT: "no answer in time",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the network",
};

/** Why a connection failed, in words for a sentence. */
export function reasonOf(error: unknown): string {
  const known = REASONS[codeOf(error) ?? ""];
  if (known !== undefined) return known;
  return textOf(error, "message") ?? "no reason given";
}

/** The code of a system or database error; null where there is none. */
export function codeOf(error: unknown): string | null {
  return textOf(error, "code");
}

/** Not by `instanceof`: errors of the system are of another realm where tests run. */
function textOf(error: unknown, name: "code" | "message"): string | null {
  if (typeof error !== "object" || error === null) return null;
  const text: unknown = Reflect.get(error, name);
  return typeof text === "string" && text !== "" ? text : null;
}
