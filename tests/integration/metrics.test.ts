import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { sql } from "kysely";
import type { Actor } from "../../shared/context.ts";
import { createLogger } from "../../shared/logger.ts";
import { serveMetrics } from "../../worker/metrics/server.ts";
import { startWorker, type RunningWorker } from "../../worker/worker.ts";
import { startApi, type TestApi } from "../support/api-client.ts";
import { aChannel, aDelivery } from "../support/builders.ts";
import { anActor, createTestContext, type TestContext } from "../support/context.ts";
import { samplesOf } from "../support/prometheus.ts";
import { publishingStack } from "../support/publishing-stack.ts";
import { eventually } from "../support/publishing.ts";
import { describeInBothModes } from "../support/queue-modes.ts";

const now = new Date("2027-02-05T15:00:00Z");
const inHours = (hours: number) => new Date(now.getTime() + hours * 3_600_000);

describe("the api's metrics", () => {
  let stack: TestContext;
  let api: TestApi;
  let actor: Actor;

  beforeAll(async () => {
    stack = await createTestContext({ POSTWELL_QUEUE: "direct" });
    await stack.setClock(now, { frozen: true });
    api = await startApi(stack.context);
    actor = await anActor(stack);
  });
  afterAll(async () => {
    await api.close();
    await stack.close();
  });

  const samples = async () => samplesOf(await (await api.fetch("/metrics")).text());

  test("raise the alarm while no worker lives", async () => {
    const channel = await aChannel(stack.context, actor);
    const stored = { state: "scheduled", dueAt: inHours(-1), nextAt: inHours(-1) } as const;
    await aDelivery(stack.context, actor, channel, stored);

    expect(await samples()).toMatchObject({
      postwell_database_up: 1,
      postwell_workers_alive: 0,
      postwell_deliveries_overdue: 1,
      postwell_deliveries_overdue_oldest_seconds: 3_600,
    });
  });

  test("tell when sign-ins end, how the next day looks, and what waits for its turn", async () => {
    const channel = await aChannel(stack.context, actor);
    await stack.db
      .updateTable("channels")
      .set({ signInEndsAt: inHours(2), signInRenews: true })
      .where("id", "=", channel.id)
      .execute();
    const stored = { state: "scheduled", dueAt: inHours(1), nextAt: inHours(1) } as const;
    const { id } = await aDelivery(stack.context, actor, channel, stored);
    await stack.db
      .updateTable("deliveries")
      .set({ preflight: JSON.stringify({ light: "red", reasons: [], checkedAt: now }) })
      .where("id", "=", id)
      .execute();
    await sql`insert into outbox (job, lane, subject_id, run_at, handed_at, leased_by, leased_until) values
      ('publish-channel', 'sandbox', gen_random_uuid(), clock() - interval '9 s', now(), null, null),
      ('publish-channel', 'sandbox', gen_random_uuid(), clock() - interval '5 s', null, null, null),
      ('publish-channel', 'sandbox', gen_random_uuid(), clock(), null, 'dead', now() - interval '1 s'),
      ('publish-channel', 'sandbox', gen_random_uuid(), clock(), null, 'alive', now() + interval '1 hour')`.execute(
      stack.db,
    );

    expect(await samples()).toMatchObject({
      [`postwell_sign_in_ends_seconds{channel="${channel.id}",platform="sandbox",renews="true"}`]: 7_200,
      'postwell_forecast_deliveries{light="red"}': 1,
      'postwell_forecast_deliveries{light="green"}': 0,
      postwell_outbox_overdue: 3,
      postwell_outbox_oldest_seconds: 9,
      postwell_promoter_lag_seconds: 5,
      postwell_leases_expired: 1,
    });
  });

  test("say nothing of what they cannot know while PostgreSQL is away", async () => {
    const away = await createTestContext({ POSTWELL_QUEUE: "direct" });
    const blind = await startApi(away.context);
    await away.close();

    const seen = samplesOf(await (await blind.fetch("/metrics")).text());
    await blind.close();

    expect(seen["postwell_database_up"]).toBe(0);
    expect(seen).not.toHaveProperty("postwell_deliveries_overdue");
    expect(seen).not.toHaveProperty("postwell_workers_alive");
    expect(seen).toHaveProperty("process_resident_memory_bytes");
  });
});

describeInBothModes("a worker's metrics", (mode) => {
  const stack = publishingStack(mode);
  let worker: RunningWorker | undefined;

  const samples = async () => samplesOf((await worker?.metrics.metrics()) ?? "");
  const plan = () => {
    const dueAt = stack.context.now();
    return stack.plan({ texts: [`Post on ${stack.channel.id}`], dueAt });
  };

  test("count how late posts begin to go out, how attempts end, and the clock's skew", async () => {
    [worker] = await stack.start();
    await stack.reaches(await plan(), "published");

    const seen = await eventually(samples, (all) => "postwell_clock_skew_seconds" in all);
    const platform = 'platform="sandbox"';
    expect(seen).toMatchObject({
      [`postwell_publish_lateness_seconds_count{${platform}}`]: 1,
      [`postwell_publish_lateness_seconds_bucket{le="60",${platform}}`]: 1,
      [`postwell_attempts_total{${platform},outcome="published"}`]: 1,
      postwell_leases_taken_over_total: 0,
    });
    expect(Math.abs(seen["postwell_clock_skew_seconds"] ?? NaN)).toBeLessThan(2);
    expect(seen['postwell_round_items_count{round="arm"}']).toBeGreaterThanOrEqual(1);
    expect(seen["postwell_queue_healthy"]).toBe(mode.name === "redis" ? 1 : undefined);
  });

  test("count a subject that was taken over from a worker that died", async () => {
    const id = await plan();
    await sql`update outbox set leased_by = 'dead', leased_until = now() - interval '1 s', handed_at = null
               where subject_id = ${stack.channel.id}`.execute(stack.db);
    [worker] = await stack.start();

    await stack.reaches(id, "published");

    expect(await samples()).toMatchObject({ postwell_leases_taken_over_total: 1 });
  });

  test("tell the api which lanes deliver", async () => {
    if (mode.name === "direct") return;
    const api = await startApi(stack.context);
    const seen = async () => samplesOf(await (await api.fetch("/metrics")).text());
    await stack.start();
    const healthy = await eventually(seen, (all) => all["postwell_queue_silent_lanes"] === 0);
    const client = await api.signIn();
    const { body } = await client.get("/status");
    await stack.stopWorkers();
    // Canaries are sent by workers: without one, no lane is known to deliver.
    const silent = await eventually(seen, (all) => (all["postwell_queue_silent_lanes"] ?? 0) > 0);
    await api.close();

    expect(healthy).toMatchObject({
      postwell_queue_up: 1,
      'postwell_queue_hints{queue="publish-channel-sandbox",state="active"}': expect.any(Number),
    });
    expect(body["queue"]).toEqual({ mode: "redis", isReachable: true, silentLanes: [] });
    expect(silent).toMatchObject({ postwell_queue_up: 1, postwell_workers_alive: 0 });
  });
});

describe("a worker's metrics port", () => {
  const log = createLogger("test", "silent");
  const host = "127.0.0.1";
  let stack: TestContext;
  let worker: RunningWorker;

  beforeAll(async () => {
    stack = await createTestContext({ POSTWELL_QUEUE: "direct" });
    worker = startWorker(stack);
  });
  afterAll(async () => {
    await worker.stop();
    await stack.close();
  });

  test("answers with metrics and health, to reading alone", async () => {
    const server = await serveMetrics(worker.metrics, { host, port: 0 }, log);
    const ask = async (path: string, method = "GET") => {
      const response = await fetch(`http://${host}:${server?.port}${path}`, { method });
      return { status: response.status, text: await response.text() };
    };

    const answers = [
      await ask("/metrics"),
      await ask("/healthz"),
      await ask("/"),
      await ask("/metrics", "POST"),
    ];
    await server?.close();

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 404, 405]);
    expect(answers[0]?.text).toContain("postwell_leases_held 0");
  });

  test("that is taken is no reason not to publish", async () => {
    const first = await serveMetrics(worker.metrics, { host, port: 0 }, log);

    const second = await serveMetrics(worker.metrics, { host, port: first?.port ?? 0 }, log);
    await first?.close();

    expect(second).toBeNull();
  });
});
