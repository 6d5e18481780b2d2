import type { RequestHandler, Router } from "express";
import * as z from "zod";
import type { Action } from "../../shared/domain/permission.ts";
import { allow } from "../http/actor.ts";
import { jsonBody } from "../http/json-body.ts";
import { parse } from "../http/parse.ts";

/**
 * One thing that the API can do. The route is registered from it and the OpenAPI document is made from it, so that the two
 * cannot disagree.
 */
export interface Operation {
  readonly method: "get" | "post" | "patch" | "delete";
  /** Empty for what is not below `/api/v1`. */
  readonly base?: "";
  /** Below the base, as in OpenAPI: `/posts/{id}/schedule`. */
  readonly path: string;
  /** Who may; null where no token is asked for. */
  readonly action: Action | null;
  /** A few words, as a title. */
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** Request headers that mean something to it, beside those of every operation. */
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Absent for JSON. */
  readonly bodyType?: "multipart/form-data";
  /** What comes back when all is well, by status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** Codes of refusals that are particular to this operation, as in `post.missing`. */
  readonly problems?: readonly string[];
}

interface Answer {
  readonly description: string;
  /** Absent for an answer without a body. */
  readonly schema?: z.ZodType;
  /** Absent for JSON. */
  readonly contentType?: string;
  readonly headers?: z.ZodObject;
}

/**
 * Registers an operation on a router that is mounted at its base: behind its right, and with nothing in query or body that it does
 * not know, as a misspelt filter would otherwise find everything.
 */
export function serve(routes: Router, operation: Operation, ...handlers: RequestHandler[]): void {
  const { method, path, action, bodyType } = operation;
  const guards = [
    ...(action === null ? [] : [allow(action)]),
    ...(bodyType === undefined ? jsonBody() : []),
    nothingUnknown(operation),
  ];
  routes[method](path.replaceAll(/\{(\w+)\}/g, ":$1"), ...guards, ...handlers);
}

function nothingUnknown({ query = NOTHING, body }: Operation): RequestHandler {
  const known = query.strict();
  return (req, _res, next) => {
    parse(known, req.query);
    if (body === undefined) parse(NOTHING, req.body ?? {});
    next();
  };
}

const NOTHING = z.strictObject({});
