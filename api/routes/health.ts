import { Router } from "express";
import * as z from "zod";
import type { Context } from "../../shared/context.ts";
import { readSchemaState } from "../../shared/db/schema-state.ts";
import type { QueueState } from "../admin/queue-state.ts";
import { createMetrics } from "../metrics/metrics.ts";
import { serve, type Operation } from "../openapi/operation.ts";

const lives: Operation = {
  method: "get",
  base: "",
  path: "/healthz",
  action: null,
  summary: "Does the process live?",
  answers: { 200: { description: "It does", schema: z.object({ ok: z.literal(true) }) } },
};

const Readiness = z.object({
  ok: z.boolean(),
  database: z
    .enum(["ready", "schema_missing", "schema_older", "unreachable"])
    .describe("Of an older schema: `npm run migrate` has not run yet."),
  queue: z
    .enum(["direct", "redis", "redis_away"])
    .describe("Without Redis, workers take due work from PostgreSQL: still ready."),
});

const isReady: Operation = {
  method: "get",
  base: "",
  path: "/readyz",
  action: null,
  summary: "Can the process do its work?",
  answers: {
    200: { description: "It can", schema: Readiness },
    503: { description: "It cannot: send nobody here", schema: Readiness },
  },
};

const measures: Operation = {
  method: "get",
  base: "",
  path: "/metrics",
  action: null,
  summary: "Read the gauges, for Prometheus",
  description: "Counts and ids, no texts and no secrets. docs/operations.md explains them.",
  answers: { 200: { description: "Prometheus's text format", contentType: "text/plain" } },
};

export const healthOperations = [lives, isReady, measures];

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

  serve(routes, lives, (_req, res) => {
    res.json({ ok: true });
  });

  serve(routes, isReady, async (_req, res) => {
    const [database, queueState] = await Promise.all([databaseState(context), stateOf(queue)]);
    // Without Redis, workers claim from PostgreSQL: no reason to send nobody here.
    const ok = database === "ready";
    res.status(ok ? 200 : 503).json({ ok, database, queue: queueState });
  });

  serve(routes, measures, async (_req, res) => {
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
