import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { sql } from "kysely";
import type { Capabilities } from "../../shared/connectors/capabilities.ts";
import type { Simulator } from "../../shared/connectors/simulator.ts";
import { Credentials } from "../../shared/connectors/x/credentials.ts";
import { startSimulator as startX, type XSimulator } from "../../shared/connectors/x/simulator.ts";
import type { DeliveryView } from "../../shared/contract/delivery.ts";
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
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const minutesAfterNoon = (minutes: number) => new Date(noon.getTime() + minutes * MINUTE_MS);

type Budget = Capabilities["budgets"][number];

describeInBothModes("budgets", (mode) => {
  let simulator: Simulator;
  let x: XSimulator;
  let stack: TestContext;
  let api: TestApi;
  let client: ApiClient;
  let workers: RunningWorker[] = [];
  let accounts = 0;

  beforeAll(async () => {
    simulator = await startSimulatorOf("sandbox", { now: () => stack.context.now() });
    // Only the budgets are to make anybody wait.
    const settings = { ...mode.settings, POSTWELL_CATCH_UP_GAP_SECONDS: "0" };
    x = await startX({ now: () => stack.context.now() });
    stack = await contextWith({ sandbox: simulator, x }, settings);
    api = await startApi(stack.context);
    client = await api.signIn();
  });
  beforeEach(async () => {
    await wipeRedis(mode);
    await sql`delete from platform_health`.execute(stack.db);
    await sql`delete from budget_usage`.execute(stack.db);
    await stack.setClock(noon);
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    workers = [];
  });
  afterAll(async () => {
    await api.close();
    await stack.close();
    await simulator.close();
    await x.close();
  });

  async function aChannel(...budgets: Budget[]) {
    const account = simulator.account(`account ${(accounts += 1)}`);
    const channel = await aConnectedChannel(stack, client.actor, "sandbox", account);
    await sql`update channels set capabilities = capabilities || ${JSON.stringify({ budgets })}::jsonb
               where id = ${channel.id}`.execute(stack.db);
    return channel;
  }
  type Channel = { id: string; platform: string };
  const planned = (channel: Channel, count: number, dueAt = noon) =>
    Promise.all(
      Array.from({ length: count }, (_, index) =>
        aPlannedDelivery(stack, client.actor, channel, {
          texts: [`Fact ${index} of ${channel.id}`],
          // One after the other, so that it is known which of them must wait.
          dueAt: new Date(dueAt.getTime() - (count - index) * 1_000),
          latestAfterMs: 48 * HOUR_MS,
        }),
      ),
    );
  const view = async (id: string) => (await client.get<DeliveryView>(`/deliveries/${id}`)).body;
  const reaches = (id: string, state: string) =>
    eventually(
      () => view(id),
      (delivery) => delivery.state === state,
    );
  const waits = (id: string) =>
    eventually(
      () => view(id),
      ({ state, waiting }) => waiting !== null && ["scheduled", "partial"].includes(state),
    );
  const postsOf = (...channels: Channel[]) =>
    simulator.posts().filter(({ text }) => channels.some(({ id }) => text.endsWith(id)));

  test("a channel that has used up its budget waits for the next window, without a try", async () => {
    const channel = await aChannel({ scope: "channel", limit: 2, perMs: 20 * MINUTE_MS });
    const [first, second, third] = await planned(channel, 3);

    workers = await startWorkers(stack);
    const waiting = await waits(third ?? "");

    expect(postsOf(channel)).toHaveLength(2);
    expect(waiting).toMatchObject({
      state: "scheduled",
      error: null,
      attempts: [],
      nextAt: minutesAfterNoon(20).toISOString(),
      waiting: { reason: "channel_budget", until: minutesAfterNoon(20).toISOString() },
    });
    for (const id of [first, second]) expect((await view(id ?? "")).state).toBe("published");
    await stack.setClock(minutesAfterNoon(20));
    await reaches(third ?? "", "published");
  });

  test("a channel that waits occupies no worker, and others go on", async () => {
    const used = await aChannel({ scope: "channel", limit: 1, perMs: 20 * MINUTE_MS });
    const free = await aChannel();
    const [, waiting] = await planned(used, 2);

    workers = await startWorkers(stack);
    await waits(waiting ?? "");
    const others = await planned(free, 3);

    for (const id of others) await reaches(id, "published");
    const leases = await eventually(
      () => stack.db.selectFrom("outbox").selectAll().where("subjectId", "=", used.id).execute(),
      (rows) => rows.every(({ leasedUntil }) => leasedUntil === null),
    );
    const publishing = leases.find(({ job }) => job === "publish-channel");
    expect(publishing?.runAt).toEqual(minutesAfterNoon(20));
  });

  test("every part of a thread counts, and a thread that waits goes on where it was", async () => {
    const channel = await aChannel({ scope: "channel", limit: 2, perMs: 20 * MINUTE_MS });
    const texts = ["One", "Two", "Three"].map((text) => `${text} ${channel.id}`);
    const id = await aPlannedDelivery(stack, client.actor, channel, { texts, dueAt: noon });

    workers = await startWorkers(stack);
    const waiting = await waits(id);

    expect(waiting).toMatchObject({ state: "partial", error: null });
    expect(postsOf(channel)).toHaveLength(2);
    await stack.setClock(minutesAfterNoon(20));
    await reaches(id, "published");
    expect(postsOf(channel).map(({ text }) => text)).toEqual(texts);
  });

  test("what waits too long is missed at its latest time, and says what it waited for", async () => {
    const channel = await aChannel({ scope: "channel", limit: 1, perMs: 60 * MINUTE_MS });
    await planned(channel, 1);
    const id = await aPlannedDelivery(stack, client.actor, channel, {
      texts: [`Too late ${channel.id}`],
      dueAt: noon,
    });
    workers = await startWorkers(stack);
    await waits(id);

    await stack.setClock(new Date(minutesAfterNoon(15).getTime() + 2));

    const missed = await reaches(id, "missed");
    expect(missed.error?.detail).toMatch(/had used up what the platform allows one account/);
    expect(postsOf(channel)).toHaveLength(1);
  });

  test("two workers share the budget of the app, to the last post", async () => {
    const budget: Budget = { scope: "app", limit: 10, perMs: 40 * MINUTE_MS };
    const channels = await Promise.all(Array.from({ length: 4 }, () => aChannel(budget)));
    const bystander = await aChannel();

    workers = await startWorkers(stack, 2);
    const ids = (await Promise.all(channels.map((channel) => planned(channel, 5)))).flat();
    await eventually(
      () => Promise.all(ids.map(view)),
      (all) => all.filter(({ waiting }) => waiting?.reason === "app_budget").length === 10,
    );
    const others = await planned(bystander, 2);

    expect(postsOf(...channels)).toHaveLength(10);
    // It is of the same app: that its own capabilities name no budget does not free it.
    const waiting = await waits(others[0] ?? "");
    expect(waiting.waiting).toMatchObject({
      reason: "app_budget",
      until: minutesAfterNoon(40).toISOString(),
    });
    await stack.setClock(minutesAfterNoon(40));
    await eventually(
      () => Promise.resolve(postsOf(...channels)),
      (posts) => posts.length === 20,
    );
    expect(simulator.posts().length).toBe(new Set(simulator.posts().map(({ text }) => text)).size);
  });

  test("a quota that ends at midnight in California is renewed then, on the day of the clock change, too", async () => {
    const springForward = new Date("2027-03-14T20:00:00Z");
    const midnight = new Date("2027-03-15T07:00:00Z");
    await stack.setClock(springForward);
    const resetsAt = { zone: "America/Los_Angeles" };
    const channel = await aChannel({ scope: "app", limit: 2, perMs: 24 * HOUR_MS, resetsAt });
    const [, , third] = await planned(channel, 3, springForward);

    workers = await startWorkers(stack);
    const waiting = await waits(third ?? "");

    expect(waiting.waiting?.until).toBe(midnight.toISOString());
    await stack.setClock(new Date(midnight.getTime() - 5_000), { frozen: true });
    expect((await view(third ?? "")).state).toBe("scheduled");
    await stack.setClock(midnight);
    await reaches(third ?? "", "published");
  });

  test("a quota of a day is kept in PostgreSQL and outlives the workers", async () => {
    const channel = await aChannel({ scope: "channel", limit: 2, perMs: 24 * HOUR_MS });
    const [, second] = await planned(channel, 2);
    workers = await startWorkers(stack);
    await reaches(second ?? "", "published");
    await Promise.all(workers.map((worker) => worker.stop()));
    await wipeRedis(mode);

    workers = await startWorkers(stack);
    const [third] = await planned(channel, 1);

    // The hour in which both went out has left the window a day later, to its last minute.
    const until = new Date("2027-02-06T13:00:00Z").toISOString();
    expect((await waits(third ?? "")).waiting).toMatchObject({ reason: "channel_budget", until });
  });

  test("what an answer says of the app's quota is believed, by all channels and before any refusal", async () => {
    x.trap("app_quota_spent", 1);
    const one = await aConnectedChannel(stack, client.actor, "x", x.account("one"));
    const other = await aConnectedChannel(stack, client.actor, "x", x.account("other"));
    const [first] = await planned(one, 1);

    workers = await startWorkers(stack, 2);
    await reaches(first ?? "", "published");
    await eventually(
      () => stack.db.selectFrom("platformHealth").selectAll().where("platform", "=", "x").execute(),
      (rows) => rows.length === 1,
    );
    const [second] = await planned(other, 1);

    const { attempts, waiting } = await waits(second ?? "");
    expect(attempts).toEqual([]);
    // X says a day; nobody is believed for longer than six hours.
    expect(waiting?.reason).toBe("platform_limit");
    expect(new Date(waiting?.until ?? "").getTime() - noon.getTime()).toBeLessThan(6.1 * HOUR_MS);
    expect(x.posts()).toHaveLength(1);
  });

  test("the last post of a window, by the platform's own count, is followed by a wait", async () => {
    x.enforceRateLimits();
    const channel = await aConnectedChannel(stack, client.actor, "x", x.account("busy"));
    // Posted by somebody else, so that our own count knows nothing of them.
    await postElsewhere(x.url, x.account("busy"), 98);
    const [, second, third] = await planned(channel, 3);

    workers = await startWorkers(stack);
    await reaches(second ?? "", "published");
    const { attempts, waiting } = await waits(third ?? "");

    expect(attempts).toEqual([]);
    expect(waiting?.reason).toBe("platform_limit");
    await stack.setClock(new Date(waiting?.until ?? ""));
    await reaches(third ?? "", "published");
  });
});

async function postElsewhere(url: string, account: unknown, count: number): Promise<void> {
  const { accessToken } = Credentials.parse(account);
  const headers = { authorization: `Bearer ${accessToken}`, "content-type": "application/json" };
  for (let index = 0; index < count; index += 1) {
    const body = JSON.stringify({ text: `Elsewhere ${index}` });
    expect((await fetch(`${url}/2/tweets`, { method: "POST", headers, body })).status).toBe(201);
  }
}
