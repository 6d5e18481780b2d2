import { Router } from "express";
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Context } from "../../shared/context.ts";
import { readSchemaState } from "../../shared/db/schema-state.ts";
import { readGauges } from "../../shared/queries/metrics.ts";
import { readWaitGauges, type WaitGauges } from "../../shared/queries/platforms.ts";
import { WAIT_REASONS } from "../../shared/domain/wait.ts";

/** Null in direct mode. */
type Queue = { isReachable(): Promise<boolean> } | null;

/** For whoever watches over the process. No tokens, and nothing of anybody's posts. */
export function healthRoutes(context: Context, queue: Queue): Router {
  const routes = Router();
  const metrics = metricsOf(context);

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

/** What is written for Prometheus when it asks. */
interface Metrics {
  readonly contentType: string;
  read(): Promise<string>;
}

function metricsOf({ db }: Context): Metrics {
  // A registry of its own: the library's shared one would mix what several apps in a process report.
  const register = new Registry();
  collectDefaultMetrics({ register });
  const registers = [register];
  const deliveries = new Gauge({
    name: "postwell_deliveries",
    help: "Deliveries under way or waiting for a person, by state",
    labelNames: ["state"],
    registers,
  });
  const overdue = new Gauge({
    name: "postwell_outbox_overdue",
    help: "Subjects that a worker should have looked at by now",
    registers,
  });
  const oldest = new Gauge({
    name: "postwell_outbox_oldest_seconds",
    help: "How late the oldest of them is",
    registers,
  });
  const setWaits = waitGauges(registers);
  return {
    contentType: register.contentType,
    async read() {
      const [gauges, waits] = await Promise.all([readGauges(db), readWaitGauges(db)]);
      setWaits(waits);
      for (const [state, count] of gauges.deliveriesByState) deliveries.set({ state }, count);
      overdue.set(gauges.outboxOverdue);
      oldest.set(gauges.outboxOldestSeconds);
      return register.metrics();
    },
  };
}

/** What each state of a breaker is on a graph. */
const BREAKER_LEVELS = { closed: 0, half_open: 1, open: 2 } as const;

function waitGauges(registers: Registry[]): (waits: WaitGauges) => void {
  const breaker = new Gauge({
    name: "postwell_platform_breaker",
    help: "Platforms that have been away: 0 answers again, 1 is being tried, 2 is away",
    labelNames: ["platform", "host"],
    registers,
  });
  const waiting = new Gauge({
    name: "postwell_channels_waiting",
    help: "Channels with something due that must wait, by reason",
    labelNames: ["reason"],
    registers,
  });
  return ({ breakers, channelsWaiting }) => {
    for (const { platform, host, breaker: state } of breakers) {
      breaker.set({ platform, host }, BREAKER_LEVELS[state]);
    }
    for (const name in WAIT_REASONS) waiting.set({ reason: name }, channelsWaiting.get(name) ?? 0);
  };
}
