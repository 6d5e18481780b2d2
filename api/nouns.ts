import type { Router } from "express";
import type { Context } from "../shared/context.ts";
import type { Operation } from "./openapi/operation.ts";

/** The routes of one noun, and what they do. */
export interface Noun {
  readonly routes: (context: Context) => Router;
  readonly operations: readonly Operation[];
}

/** Everything below `/api/v1`: the app mounts it and the OpenAPI document describes it. */
export const NOUNS: readonly Noun[] = [];
