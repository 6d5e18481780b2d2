import type { Router } from "express";
import type { Context } from "../shared/context.ts";
import type { Operation } from "./openapi/operation.ts";
import { channelOperations, channelRoutes } from "./routes/channels.ts";
import { mediaOperations, mediaRoutes } from "./routes/media.ts";

/** The routes of one noun, and what they do. */
export interface Noun {
  readonly routes: (context: Context) => Router;
  readonly operations: readonly Operation[];
}

/** Everything below `/api/v1` that needs a token: the app mounts it and the OpenAPI document describes it. */
export const NOUNS: readonly Noun[] = [
  { routes: channelRoutes, operations: channelOperations },
  { routes: mediaRoutes, operations: mediaOperations },
];
