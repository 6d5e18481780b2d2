import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { DeliveryView } from "../../shared/contract/delivery.ts";
import type { Simulator } from "../../shared/connectors/simulator.ts";
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

/** Shorter than what the simulator asks for. */
const PATIENCE_MS = 10_000;

describeInBothModes("what time alone decides", (mode) => {
  let simulator: Simulator;
  let stack: TestContext;
  let api: TestApi;
  let client: ApiClient;
  let channel: { id: string; platform: string };
  let workers: RunningWorker[] = [];
  let accounts = 0;

  beforeAll(async () => {
    await wipeRedis(mode);
    simulator = await startSimulatorOf("sandbox", { now: () => stack.context.now() });
    stack = await contextWith({ sandbox: simulator }, mode.settings);
    api = await startApi(stack.context);
    client = await api.signIn();
  });
  beforeEach(async () => {
    await stack.setClock(noon, { frozen: true });
    const account = simulator.account(`late ${(accounts += 1)}`);
    channel = await aConnectedChannel(stack, client.actor, "sandbox", account);
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    workers = [];
  });
  afterAll(async () => {
    await api.close();
    await stack.close();
    await simulator.close();
  });

  const view = async (id: string) => (await client.get<DeliveryView>(`/deliveries/${id}`)).body;
  const reaches = (id: string, state: string) =>
    eventually(
      () => view(id),
      (delivery) => delivery.state === state,
    );
  const refusedOnce = async () => {
    simulator.fault("commit_rate_limited", 1);
    const plan = { texts: [`Too many. ${channel.id}`], dueAt: noon, latestAfterMs: PATIENCE_MS };
    const id = await aPlannedDelivery(stack, client.actor, channel, plan);
    workers = await startWorkers(stack);
    const waiting = await eventually(
      () => view(id),
      ({ state, error }) => state === "scheduled" && error !== null,
    );
    return { id, waiting };
  };

  test("a limit that ends too late makes a post missed at its latest time, never failed", async () => {
    const { id, waiting } = await refusedOnce();

    expect(waiting.error).toMatchObject({ kind: "rate_limited" });
    expect(waiting.error?.nextStep).toContain("missed at 2027-02-05T12:00:10");
    expect(waiting.waiting).toMatchObject({ reason: "platform_limit" });
    await stack.setClock(secondsAfterNoon(11), { frozen: true });

    const missed = await reaches(id, "missed");
    expect(missed.error).toMatchObject({
      kind: "missed",
      detail: expect.stringContaining("the platform had asked for a pause"),
      platformMessage: waiting.error?.platformMessage,
    });
    expect(missed.nextAt).toBeNull();
  });

  test("goes out after all where a person allows it to be later", async () => {
    const { id, waiting } = await refusedOnce();

    const allowed = await client.patch(`/posts/${waiting.postId}`, { latestAfterMinutes: 600 });
    const again = await view(id);
    expect(allowed.status).toBe(200);
    expect(again.error?.nextStep).toMatch(/by itself at 2027-02-05T12:\d\d:\d\d/);
    await stack.setClock(secondsAfterNoon(6 * 3_600), { frozen: true });

    await reaches(id, "published");
  });
});
