import type { RequestHandler, Router } from "express";
import type * as z from "zod";
import type { Action } from "../../shared/domain/permission.ts";
import { allow } from "../http/actor.ts";

/**
 * One thing that the API can do. The route is registered from it and the OpenAPI document is made from it, so that the two
 * cannot disagree.
 */
export interface Operation {
  readonly method: "get" | "post" | "patch" | "delete";
  /** Below `/api/v1`, as in OpenAPI: `/posts/{id}/schedule`. */
  readonly path: string;
  /** Who may; null where no token is asked for. */
  readonly action: Action | null;
  /** A few words, as a title. */
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
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
}

/** Registers an operation on a router that is mounted at `/api/v1`, behind its right. */
export function serve(
  routes: Router,
  { method, path, action }: Operation,
  ...handlers: RequestHandler[]
): void {
  const guards = action === null ? [] : [allow(action)];
  routes[method](path.replaceAll(/\{(\w+)\}/g, ":$1"), ...guards, ...handlers);
}
