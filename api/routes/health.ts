import { Router } from "express";
import type { Context } from "../../shared/context.ts";
import { readSchemaState } from "../../shared/db/schema-state.ts";
import type { QueueState } from "../admin/queue-state.ts";
import { createMetrics } from "../metrics/metrics.ts";

/** Null in direct mode. */
type Queue = { isReachable(): Promise<boolean> } | null;

/** For whoever watches over the process. No tokens, and nothing of anybody's posts. */
export function healthRoutes(
  context: Context,
  queue: Queue,
  queueState: QueueState | null,
): Router {
  const routes = Router();
  const metrics = createMetrics(context, queueState);

  routes.get("/healthz", (_req, res) => {
    res.json({ ok: true });
  });

  routes.get("/readyz", async (_req, res) => {
    const [database, queueState] = await Promise.all([databaseState(context), stateOf(queue)]);
    // Without Redis, workers claim from PostgreSQL: no reason to send nobody here.
    const ok = database === "ready";
    res.status(ok ? 200 : 503).json({ ok, database, queue: queueState });
  });

  routes.get("/metrics", async (_req, res) => {
    res.set("Content-Type", metrics.contentType).send(await metrics.read());
  });

  return routes;
}

async function databaseState({ db }: Context): Promise<string> {
  try {
    const schema = await readSchemaState(db);
    // During an update the schema is newer for a while; migrations only add, so this version goes on.
    return schema === "current" || schema === "newer" ? "ready" : `schema_${schema}`;
  } catch {
    return "unreachable";
  }
}

async function stateOf(queue: Queue): Promise<"direct" | "redis" | "redis_away"> {
  if (!queue) return "direct";
  return (await queue.isReachable()) ? "redis" : "redis_away";
}
