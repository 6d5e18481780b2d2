import { ACCESS_TOKEN_SECONDS, issueTokens, type Account, type World } from "./world.ts";
import { problem, unavailable, type Authorized, type Incoming, type Reply } from "./reply.ts";

/** Whose token it is; null where X would say 401. */
export function authorize(world: World, header: string | undefined): Account | null {
  const token = header?.startsWith("Bearer ") ? header.slice("Bearer ".length) : "";
  const known = world.accessTokens.get(token);
  return known && known.expiresAt > world.now().getTime() ? known.account : null;
}

export function unauthorized(): Reply {
  return problem(401, "Unauthorized", "Unauthorized");
}

/** X names no scope: it only says no. */
export function lacksScope(account: Account, scope: string): Reply | null {
  if (account.scopes.includes(scope)) return null;
  return problem(403, "Forbidden", "You are not permitted to perform this action.");
}

/** GET /2/users/me */
export function readMe({ account }: Authorized): Reply {
  const { id, handle, name } = account;
  return { status: 200, body: { data: { id, username: handle, name } } };
}

/** POST /2/oauth2/token: a refresh token works once. */
export function renewTokens(incoming: Incoming): Reply {
  const { world, request, body, springs } = incoming;
  if (springs("renewal_unavailable")) return unavailable();
  if (!request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded")) {
    return tokenError(
      400,
      "invalid_request",
      "Content-Type must be application/x-www-form-urlencoded.",
    );
  }
  const form = new URLSearchParams(body.toString());
  const refused = refuseApp(world, form, request.headers.authorization);
  if (refused) return refused;
  if (form.get("grant_type") !== "refresh_token") {
    return tokenError(400, "unsupported_grant_type", "Unsupported grant type.");
  }
  const refreshToken = form.get("refresh_token") ?? "";
  const account = world.refreshTokens.get(refreshToken);
  if (!account) {
    revokeFamily(world, refreshToken);
    return tokenError(400, "invalid_request", "Value passed for the token was invalid.");
  }
  const isKept = springs("refresh_token_kept");
  if (!isKept) {
    world.refreshTokens.delete(refreshToken);
    world.spentTokens.set(refreshToken, account);
  }
  const tokens = issueTokens(world, account);
  if (springs("renewal_lost")) return unavailable();
  const answer = {
    token_type: "bearer",
    expires_in: ACCESS_TOKEN_SECONDS,
    access_token: tokens.accessToken,
    scope: account.scopes.join(" "),
    ...(isKept ? {} : { refresh_token: tokens.refreshToken }),
  };
  return { status: 200, body: answer };
}

/** A refresh token that comes twice looks stolen, so whoever has the others loses them too. */
function revokeFamily(world: World, refreshToken: string): void {
  const account = world.spentTokens.get(refreshToken);
  if (!account || !world.detectsReuse) return;
  for (const [token, known] of world.accessTokens) {
    if (known.account === account) world.accessTokens.delete(token);
  }
  for (const [token, owner] of world.refreshTokens) {
    if (owner === account) world.refreshTokens.delete(token);
  }
}

/** A confidential app proves itself by Basic authorization, a public one names itself in the form. */
function refuseApp(world: World, form: URLSearchParams, header: string | undefined): Reply | null {
  const { app } = world;
  if (app === null) return null;
  if (app.clientSecret === null) {
    if (form.get("client_id") === app.clientId) return null;
    return tokenError(400, "invalid_request", "Missing required parameter [client_id].");
  }
  const expected = Buffer.from(`${app.clientId}:${app.clientSecret}`).toString("base64");
  if (header === `Basic ${expected}`) return null;
  return tokenError(401, "unauthorized_client", "Missing valid authorization header");
}

function tokenError(status: number, error: string, description: string): Reply {
  return { status, body: { error, error_description: description } };
}
