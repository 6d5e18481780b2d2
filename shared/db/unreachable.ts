/**
 * SQLSTATE classes and system codes that say that the database cannot serve now, whatever was asked of it.
 * Source: https://www.postgresql.org/docs/18/errcodes-appendix.html (read 2026-11-22)
 */
const CODES =
  /^(08...|53...|57P0[1-5]|ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT|EHOSTUNREACH)$/;

/** What the driver says, without a code, when a connection cannot be had or broke. */
const MESSAGES =
  /^(timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error)/;

/** True where the database is away, as opposed to a statement that is wrong. */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.some(isUnreachable);
  if ("code" in error && typeof error.code === "string") return CODES.test(error.code);
  return MESSAGES.test(error.message);
}
