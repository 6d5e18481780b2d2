import type { Connection, Connector } from "../connectors/connector.ts";
import { ConnectorError } from "../connectors/error.ts";
import { hostNotFound } from "../connectors/http.ts";
import type { Context } from "../context.ts";
import { FAILURES, type FailureKind } from "../domain/failure.ts";
import { AppError, type FieldError } from "../errors.ts";
import { callFor, connectorOf } from "./channel-calls.ts";

/** The platform did not say no: it said nothing, or "later". */
const NOT_NOW: readonly FailureKind[] = [
  "unavailable",
  "unknown_outcome",
  "rate_limited",
  "quota_exhausted",
];

/** Longer than a person wants to wait in front of a form; the work may be repeated. */
export const PLATFORM_TIMEOUT_MS = 20_000;

/**
 * Signs in to the platform with credentials that somebody typed in. Calls the platform: never inside a transaction. Repeatable.
 * @throws {AppError} invalid `channel.platform_unknown`, `channel.credentials_invalid`, `channel.host_not_found`,
 *   `channel.credentials_refused`; unavailable `channel.platform_unreachable`
 */
export async function proveCredentials(
  context: Context,
  platform: string,
  given: unknown,
): Promise<Connection<unknown>> {
  if (!context.connectors.has(platform)) throw unknownPlatform(context);
  const connector = connectorOf(context, platform);
  const credentials = parseCredentials(connector, given);
  const signal = AbortSignal.timeout(PLATFORM_TIMEOUT_MS);
  try {
    return await connector.connect(callFor(context, connector, credentials, signal));
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error;
    throw unknownHost(given, error) ?? refusal(connector, error);
  }
}

/** @throws {AppError} unavailable `channel.platform_unreachable` with what the platform said */
export function unreachable(connector: Pick<Connector, "name">, error: ConnectorError): AppError {
  return translated(
    "unavailable",
    "channel.platform_unreachable",
    `${connector.name} cannot be asked at the moment. Nothing was changed; try again in a while.`,
    error,
  );
}

function parseCredentials(connector: Connector, given: unknown): unknown {
  const parsed = connector.credentials.safeParse(given);
  if (parsed.success) return parsed.data;
  const code = "channel.credentials_invalid";
  const fields = parsed.error.issues.map((issue) => ({
    path: ["credentials", ...issue.path].join("."),
    code,
    detail: issue.message,
  }));
  throw new AppError(
    "invalid",
    code,
    `These are not the credentials that ${connector.name} needs; GET /api/v1/platforms describes them.`,
    fields,
  );
}

/** The refusal of a host that was typed in and that no name server knows; null where another one is missing. */
function unknownHost(given: unknown, error: ConnectorError): AppError | null {
  const host = hostNotFound(error);
  if (host === null) return null;
  const typed = Object.entries(given ?? {}).find(([, value]) => hostIn(value) === host);
  if (!typed) return null;
  const code = "channel.host_not_found";
  const detail = `There is no host ${host}. Check how it is written.`;
  const { kind, platformMessage, platformCode } = error;
  const facts = { kind, platformMessage, platformCode };
  const refused = new AppError("invalid", code, detail, [
    { path: `credentials.${typed[0]}`, code, detail, facts },
  ]);
  refused.cause = error;
  return refused;
}

/** As a name server is asked for it: in lower case, and in ASCII. */
function hostIn(value: unknown): string | null {
  if (typeof value !== "string") return null;
  const address = value.includes("://") ? value.trim() : `https://${value.trim()}`;
  return URL.canParse(address) ? new URL(address).hostname : null;
}

function refusal(connector: Connector, error: ConnectorError): AppError {
  if (NOT_NOW.includes(error.kind) && !isPrivate(error)) return unreachable(connector, error);
  return translated(
    "invalid",
    "channel.credentials_refused",
    isPrivate(error)
      ? "This address is not on the public internet. An operator may allow it with POSTWELL_ALLOW_PRIVATE_HOSTS."
      : `${connector.name} does not accept these credentials.`,
    error,
  );
}

/** Ours refused to call such an address, so the platform had no say. */
function isPrivate(error: ConnectorError): boolean {
  return error.platformCode === "POSTWELL_PRIVATE_ADDRESS";
}

function translated(
  kind: "invalid" | "unavailable",
  code: string,
  detail: string,
  error: ConnectorError,
): AppError {
  const { platformMessage, platformCode } = error;
  const field: FieldError = {
    path: "credentials",
    code: error.kind,
    detail: platformMessage ?? FAILURES[error.kind].title,
    facts: { kind: error.kind, platformMessage, platformCode },
  };
  const translation = new AppError(kind, code, detail, [field]);
  translation.cause = error;
  return translation;
}

function unknownPlatform({ connectors }: Context): AppError {
  const code = "channel.platform_unknown";
  const detail = `There is no such platform. There are: ${[...connectors.keys()].join(", ")}.`;
  return new AppError("invalid", code, detail, [{ path: "platform", code, detail }]);
}
