import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { v7 as uuidv7 } from "uuid";
import type { Simulator } from "../../shared/connectors/simulator.ts";
import type { RunningWorker } from "../../worker/worker.ts";
import { anActor, type TestContext } from "../support/context.ts";
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

describeInBothModes("hints of an unknown form", (mode) => {
  let simulator: Simulator;
  let stack: TestContext;
  let workers: readonly RunningWorker[] = [];

  beforeAll(async () => {
    await wipeRedis(mode);
    simulator = await startSimulatorOf("sandbox", { now: () => stack.context.now() });
    stack = await contextWith({ sandbox: simulator }, mode.settings);
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
  });
  afterAll(async () => {
    await stack.close();
    await simulator.close();
  });

  test("are ignored and counted, and the outbox still brings the work", async () => {
    await stack.setClock(noon);
    const actor = await anActor(stack);
    const account = simulator.account("heart");
    const channel = await aConnectedChannel(stack, actor, "sandbox", account);
    const other = await aConnectedChannel(stack, actor, "sandbox", account);
    workers = await startWorkers(stack);

    // Of an older version, which hinted at deliveries; of a newer one; for nobody; and garbage.
    const sent = await hint(mode.settings["REDIS_URL"], [
      { deliveryId: uuidv7(), revision: 3 },
      { subjectId: channel.id, revision: 1, priority: "high" },
      { subjectId: "../../etc/passwd", revision: 1 },
      null,
      { subjectId: other.id, revision: 999_999 },
      { subjectId: uuidv7(), revision: 1 },
    ]);
    const id = await aPlannedDelivery(stack, actor, channel, { texts: ["Once."], dueAt: noon });

    await eventually(
      () => Promise.resolve(workers[0]?.ignoredHints()),
      (ignored) => ignored === (sent ? 4 : 0),
    );
    const metric = "postwell_queue_ignored_hints_total";
    const metrics = (await workers[0]?.metrics.metrics()) ?? "";
    // Asked twice, it has not grown.
    expect(await workers[0]?.metrics.metrics()).toContain(sent ? `${metric} 4` : "");
    expect(metrics.includes(`${metric} 4`)).toBe(sent);
    const delivery = () =>
      stack.db
        .selectFrom("deliveries")
        .select("state")
        .where("id", "=", id)
        .executeTakeFirstOrThrow();
    await eventually(delivery, ({ state }) => state === "published");
    expect(simulator.posts().map(({ text }) => text)).toEqual(["Once."]);
  });
});

/** @returns whether there is a queue to put them into */
async function hint(redisUrl: string | undefined, payloads: readonly unknown[]): Promise<boolean> {
  if (redisUrl === undefined) return false;
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const queue = new Queue("publish-channel-sandbox", { connection, prefix: "postwell" });
  for (const payload of payloads) await queue.add("publish-channel", payload);
  await queue.close();
  connection.disconnect();
  return true;
}
