import * as z from "zod";
import type { Connection } from "../connector.ts";
import { ConnectorError } from "../error.ts";
import { ask, askAsApp, type XCall } from "./api.ts";
import { CAPABILITIES } from "./capabilities.ts";
import type { Credentials } from "./credentials.ts";
import { READ, RENEWAL } from "./errors.ts";

const Me = z.object({ data: z.object({ id: z.string().regex(/^\d+$/), username: z.string() }) });

/** `media.write` is not among them: a channel without images does not need it. */
const NEEDED_SCOPES = ["tweet.read", "tweet.write", "users.read"];

/** Asks whose token it is and keeps the answer in the credentials, where `reconcile` and permalinks need it. */
export async function connect(call: XCall): Promise<Connection<Credentials>> {
  const { id, username } = await readMe(call);
  return {
    remoteAccountId: id,
    handle: `@${username}`,
    credentials: { ...call.credentials, userId: id, handle: username },
    capabilities: CAPABILITIES,
  };
}

/** X has no request that tests the right to write without writing, so that is read from the granted scopes. */
export async function check(call: XCall): Promise<void> {
  const { scopes } = call.credentials;
  const missing = scopes && NEEDED_SCOPES.find((scope) => !scopes.includes(scope));
  if (missing) throw new ConnectorError("permission", { platformCode: `missing_scope:${missing}` });
  await readMe(call);
}

/** The account's id: remembered by `connect`, or asked for where the channel is older than that. */
export async function userIdOf(call: XCall): Promise<string> {
  return call.credentials.userId ?? (await readMe(call)).id;
}

async function readMe(call: XCall): Promise<{ id: string; username: string }> {
  const { data } = await ask(call, { purpose: READ, answer: Me }, (client) => client.v2.me());
  return data;
}

const Renewed = z.object({
  access_token: z.string().min(1),
  expires_in: z.number().positive().optional(),
  refresh_token: z.string().optional(),
  scope: z.string().optional(),
});

/**
 * Exchanges the refresh token for new tokens; the old one is spent by that. Not done by the library's own method: it sends
 * JSON where OAuth wants a form, and fails over an answer without `scope` after the tokens have been exchanged.
 * Source: https://www.rfc-editor.org/rfc/rfc6749#section-6 (read 2026-11-22)
 */
export async function renew(call: XCall): Promise<Credentials> {
  const { refreshToken } = call.credentials;
  if (!refreshToken) throw new ConnectorError("reauthorize", { platformCode: "no_refresh_token" });
  const form = {
    grant_type: "refresh_token",
    refresh_token: refreshToken,
    ...(call.settings.clientId === undefined ? {} : { client_id: call.settings.clientId }),
  };
  const tokens = await askAsApp(call, { purpose: RENEWAL, answer: Renewed }, (client) =>
    client.v2.post("oauth2/token", form, { forceBodyMode: "url" }),
  );
  const lifeMs = tokens.expires_in === undefined ? null : tokens.expires_in * 1000;
  return {
    ...call.credentials,
    accessToken: tokens.access_token,
    // An answer without a new one must not take the old one from us: it may still be good.
    refreshToken: tokens.refresh_token || refreshToken,
    expiresAt: lifeMs === null ? null : new Date(call.now().getTime() + lifeMs).toISOString(),
    scopes: tokens.scope ? tokens.scope.split(" ").filter(Boolean) : call.credentials.scopes,
  };
}

/** Apps that did not ask for `offline.access` get no refresh token. */
export function canRenew({ refreshToken }: Credentials): boolean {
  return refreshToken !== null;
}

/** When the access token ends, UTC; null if X never said. */
export function expiresAt(credentials: Credentials): Date | null {
  return credentials.expiresAt === null ? null : new Date(credentials.expiresAt);
}
