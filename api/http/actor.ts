import type { RequestHandler, Response } from "express";
import type { Actor, Context } from "../../shared/context.ts";
import { findToken } from "../../shared/db/tokens.ts";
import { may, type Action } from "../../shared/domain/permission.ts";
import { TOKEN_PREFIX, tokenHash } from "../../shared/domain/token.ts";
import { AppError } from "../../shared/errors.ts";

declare global {
  // Express types `res.locals` through this namespace; there is no other way to say what it holds.
  namespace Express {
    interface Locals {
      actor?: Actor;
      requestId?: string;
    }
  }
}

/**
 * Finds out who asks, by one look into an index for each request: a revoked token ends at once, and there is nothing
 * cached that could disagree.
 * @throws {AppError} unauthenticated `token.invalid`, the same whether a token is missing, wrong, revoked or past its end
 */
export function authenticate({ db }: Context): RequestHandler {
  return async (req, res, next) => {
    const token = bearerToken(req.headers.authorization);
    const known = token === null ? null : await findToken(db, tokenHash(token));
    if (!known) throw invalidToken();
    res.locals.actor = { workspaceId: known.workspaceId, tokenId: known.id, scope: known.scope };
    next();
  };
}

/** On whose behalf the request is made. Only behind `authenticate`. */
export function actorOf(res: Response): Actor {
  const { actor } = res.locals;
  if (!actor) throw new Error("The route is not behind authenticate().");
  return actor;
}

/** @throws {AppError} forbidden `token.forbidden` */
export function allow(action: Action): RequestHandler {
  return (_req, res, next) => {
    if (!may(actorOf(res).scope, action)) {
      throw new AppError(
        "forbidden",
        "token.forbidden",
        "This token may not do that. Ask an admin, or use a token with the scope admin.",
      );
    }
    next();
  };
}

function invalidToken(): AppError {
  return new AppError(
    "unauthenticated",
    "token.invalid",
    "Send a valid token: Authorization: Bearer pw_… An admin makes one with `npm run token`.",
  );
}

function bearerToken(header: string | undefined): string | null {
  const [scheme = "", token = ""] = header?.split(" ") ?? [];
  if (scheme.toLowerCase() !== "bearer" || !token.startsWith(TOKEN_PREFIX)) return null;
  return token;
}
