/** An answer of the platform that is no success. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  /** The platform's name for it. */
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}
