import type { Router } from "express";
import type { Context } from "../shared/context.ts";
import type { QueueState } from "./admin/queue-state.ts";
import type { Operation } from "./openapi/operation.ts";
import { channelOperations, channelRoutes } from "./routes/channels.ts";
import { checkOperations, checkRoutes } from "./routes/check.ts";
import { deliveryOperations, deliveryRoutes } from "./routes/deliveries.ts";
import { engagementOperations, engagementRoutes } from "./routes/engagement.ts";
import { eventOperations, eventRoutes } from "./routes/events.ts";
import { holdOperations, holdRoutes } from "./routes/holds.ts";
import { importOperations, importRoutes } from "./routes/imports.ts";
import { mediaOperations, mediaRoutes } from "./routes/media.ts";
import { noticeOperations, noticeRoutes } from "./routes/notices.ts";
import { platformOperations, platformRoutes } from "./routes/platforms.ts";
import { postOperations, postRoutes } from "./routes/posts.ts";
import { statusOperations, statusRoutes } from "./routes/status.ts";

/** The routes of one noun, and what they do. */
export interface Noun {
  /**
   * @param closing aborted when the process is to stop: what would never end by itself ends then
   * @param queue null in direct mode
   */
  readonly routes: (context: Context, closing: AbortSignal, queue: QueueState | null) => Router;
  readonly operations: readonly Operation[];
}

/** Everything below `/api/v1` that needs a token: the app mounts it and the OpenAPI document describes it. */
export const NOUNS: readonly Noun[] = [
  { routes: statusRoutes, operations: statusOperations },
  { routes: platformRoutes, operations: platformOperations },
  { routes: channelRoutes, operations: channelOperations },
  { routes: mediaRoutes, operations: mediaOperations },
  { routes: postRoutes, operations: postOperations },
  { routes: checkRoutes, operations: checkOperations },
  { routes: importRoutes, operations: importOperations },
  { routes: deliveryRoutes, operations: deliveryOperations },
  { routes: holdRoutes, operations: holdOperations },
  { routes: noticeRoutes, operations: noticeOperations },
  { routes: engagementRoutes, operations: engagementOperations },
  { routes: eventRoutes, operations: eventOperations },
];
