import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { FAULTS, type Simulator } from "../../shared/connectors/simulator.ts";
import type { DeliveryView } from "../../shared/contract/delivery.ts";
import type { StatusView } from "../../shared/contract/status.ts";
import type { RunningWorker } from "../../worker/worker.ts";
import { startApi, type ApiClient, type TestApi } from "../support/api-client.ts";
import type { TestContext } from "../support/context.ts";
import {
  aConnectedChannel,
  aPlannedDelivery,
  contextWith,
  eventually,
  startSimulatorOf,
  startWorkers,
} from "../support/publishing.ts";
import { describeInBothModes, wipeRedis } from "../support/queue-modes.ts";

const noon = new Date("2027-02-05T12:00:00Z");
const secondsAfterNoon = (seconds: number) => new Date(noon.getTime() + seconds * 1_000);
const HOUR_MS = 60 * 60_000;
const FOR_EVER = 1_000_000;

/** So many failures in a row open a breaker. */
const ENOUGH = 5;

type Channel = { id: string; platform: string };

describeInBothModes("outages", (mode) => {
  let sandbox: Simulator;
  let mastodon: Simulator;
  let stack: TestContext;
  let api: TestApi;
  let client: ApiClient;
  let workers: RunningWorker[] = [];
  let accounts = 0;

  beforeAll(async () => {
    const options = { now: () => stack.context.now() };
    sandbox = await startSimulatorOf("sandbox", options);
    mastodon = await startSimulatorOf("mastodon", options);
    stack = await contextWith(
      { sandbox, mastodon },
      {
        ...mode.settings,
        POSTWELL_CATCH_UP_GAP_SECONDS: "0",
        POSTWELL_CONCURRENCY: "10",
      },
    );
    api = await startApi(stack.context);
  });
  beforeEach(async () => {
    await wipeRedis(mode);
    // What another test left unsent would try the platform in place of this one's channels, and use up its faults.
    await sql`truncate workspaces, outbox cascade`.execute(stack.db);
    // Time stands still but where a test moves it: however slow the machine is, no pause ends by itself.
    await stack.setClock(secondsAfterNoon(1), { frozen: true });
    client = await api.signIn();
  });
  afterEach(async () => {
    for (const fault of FAULTS) sandbox.fault(fault, 0);
    await stopWorkers();
  });
  afterAll(async () => {
    await api.close();
    await stack.close();
    await Promise.all([sandbox.close(), mastodon.close()]);
  });

  /** What is under way is finished first. */
  const stopWorkers = async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    workers = [];
  };
  const channelOn = (platform: string, simulator: Simulator) =>
    aConnectedChannel(stack, client.actor, platform, simulator.account(`a${(accounts += 1)}`));
  const channels = (count: number) =>
    Promise.all(Array.from({ length: count }, () => channelOn("sandbox", sandbox)));
  /** One on each channel, due by now, in the order of the channels. */
  const planned = (on: readonly Channel[], latestAfterMs = 2 * HOUR_MS) =>
    Promise.all(
      on.map((channel, index) =>
        aPlannedDelivery(stack, client.actor, channel, {
          texts: [`On ${channel.id}`],
          dueAt: new Date(noon.getTime() + index),
          latestAfterMs,
        }),
      ),
    );
  const view = async (id: string) => (await client.get<DeliveryView>(`/deliveries/${id}`)).body;
  const views = (ids: readonly string[]) => Promise.all(ids.map(view));
  const allReach = (ids: readonly string[], state: string) =>
    eventually(
      () => views(ids),
      (all) => all.every((delivery) => delivery.state === state),
    );
  const sandboxHealth = async () => {
    const { body } = await client.get<StatusView>("/status");
    return { ok: body.ok, ...body.platforms.find(({ platform }) => platform === "sandbox") };
  };
  const breakerIs = (breaker: string) =>
    eventually(sandboxHealth, (health) => health.breaker === breaker);
  const postsOf = (on: readonly Channel[]) =>
    sandbox.posts().filter(({ text }) => on.some(({ id }) => text.endsWith(id)));

  test("a platform that does not answer is left alone, and tells nobody's posts to try", async () => {
    sandbox.fault("commit_unavailable", FOR_EVER);
    workers = await startWorkers(stack, 2);
    await planned(await channels(3 * ENOUGH));

    await breakerIs("open");
    const spared = await planned(await channels(4));

    const waiting = await eventually(
      () => views(spared),
      (all) => all.every((delivery) => delivery.waiting !== null),
    );
    for (const delivery of waiting) {
      expect(delivery).toMatchObject({ state: "scheduled", attempts: [], error: null });
      expect(delivery.waiting).toMatchObject({ reason: "outage" });
    }
    const health = await sandboxHealth();
    expect(health).toMatchObject({ ok: false, breaker: "open", host: null });
    expect(health.waitingDeliveries).toBeGreaterThanOrEqual(4);
    expect(health.since).not.toBeNull();
  });

  test("one channel tries, and in vain; then one tries again, and all go on, oldest first", async () => {
    sandbox.fault("commit_unavailable", FOR_EVER);
    const all = await channels(30);
    const ids = await planned(all);
    workers = await startWorkers(stack, 2);
    const opened = await breakerIs("open");
    await stopWorkers();
    const attemptsSoFar = async () => {
      const query = stack.db.selectFrom("attempts").select("id").where("deliveryId", "in", ids);
      return (await query.execute()).length;
    };
    const before = await attemptsSoFar();

    const retryAt = new Date(opened.retryAt ?? "");
    await stack.setClock(retryAt, { frozen: true });
    workers = await startWorkers(stack, 2);
    const reopened = await eventually(
      sandboxHealth,
      ({ breaker, retryAt: next }) => breaker === "open" && next !== opened.retryAt,
    );
    expect(await attemptsSoFar()).toBe(before + 1);
    const nextRetryAt = new Date(reopened.retryAt ?? "");
    expect(nextRetryAt.getTime() - retryAt.getTime()).toBe(30_000);

    sandbox.fault("commit_unavailable", 0);
    await stack.setClock(nextRetryAt, { frozen: true });
    await breakerIs("closed");
    const later = (
      await stack.db
        .selectFrom("channels")
        .select(["id", "waitUntil"])
        .where("waitReason", "=", "recovering")
        .execute()
    ).filter(({ id }) => all.some((channel) => channel.id === id));
    expect(later.length).toBeGreaterThan(20);
    const inOrder = later.toSorted(
      (one, other) => (one.waitUntil?.getTime() ?? 0) - (other.waitUntil?.getTime() ?? 0),
    );
    const ranks = inOrder.map(({ id }) => all.findIndex((channel) => channel.id === id));
    expect(ranks).toEqual(ranks.toSorted((one, other) => one - other));

    await stack.setClock(new Date(nextRetryAt.getTime() + 5 * 60_000));
    await allReach(ids, "published");
    expect(postsOf(all)).toHaveLength(30);
  });

  test("being refused, or told to wait, opens nothing", async () => {
    sandbox.fault("commit_content_rejected", ENOUGH + 1);
    workers = await startWorkers(stack);
    const refused = await planned(await channels(ENOUGH + 1));
    await allReach(refused, "failed");
    sandbox.fault("commit_rate_limited", ENOUGH + 1);
    const limited = await planned(await channels(ENOUGH + 1));
    await eventually(
      () => views(limited),
      (all) => all.every(({ error }) => error?.kind === "rate_limited"),
    );

    expect(await sandboxHealth()).toMatchObject({ breaker: "closed", since: null });
  });

  test("what becomes too late in an outage is missed then, and says why", async () => {
    sandbox.fault("commit_unavailable", FOR_EVER);
    workers = await startWorkers(stack);
    await planned(await channels(2 * ENOUGH));
    await breakerIs("open");
    const spared = await planned(await channels(1), 10_000);
    await eventually(
      () => views(spared),
      (all) => all.every((delivery) => delivery.waiting !== null),
    );

    await stack.setClock(secondsAfterNoon(11), { frozen: true });

    const [missed] = await allReach(spared, "missed");
    expect(missed?.error?.detail).toMatch(/because the platform did not answer/);
  });

  test("a worker that dies while it tries leaves the try to another one", async () => {
    const on = await channels(2);
    await sql`insert into platform_health (platform, host, breaker, openings, retry_at, probe_channel_id)
              values ('sandbox', '', 'half_open', 1, clock() + interval '20 s', ${on[0]?.id})`.execute(
      stack.db,
    );
    const ids = await planned(on.slice(1));
    workers = await startWorkers(stack);
    await eventually(
      () => views(ids),
      (all) => all.every((delivery) => delivery.waiting !== null),
    );

    await stack.setClock(secondsAfterNoon(22), { frozen: true });

    await allReach(ids, "published");
    await breakerIs("closed");
  });

  test("a platform that hangs does not make another one late", async () => {
    sandbox.fault("commit_hang_after_success", FOR_EVER);
    const hanging = await channels(25);
    const others = await Promise.all(
      Array.from({ length: 10 }, () => channelOn("mastodon", mastodon)),
    );
    workers = await startWorkers(stack);
    await planned(hanging);
    // As many as may be in hand at once are in hand, and none of them comes back for twenty seconds.
    await eventually(
      () => Promise.resolve(postsOf(hanging)),
      (posts) => posts.length >= 10,
    );

    const ids = await planned(others);
    await allReach(ids, "published");

    const { rows } = await sql<{ state: string }>`
      select state from deliveries where channel_id = any(${hanging.map(({ id }) => id)}::uuid[])`.execute(
      stack.db,
    );
    expect(rows.filter(({ state }) => state === "sending").length).toBeGreaterThanOrEqual(10);
    expect(rows.every(({ state }) => state !== "published" && state !== "unknown")).toBe(true);
    // Nobody need wait for the end of the silence: this is the last test.
    await sandbox.close();
  });
});
