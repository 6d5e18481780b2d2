import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { randomUUID } from "node:crypto";
import type { Simulator } from "../../shared/connectors/simulator.ts";
import type { Actor } from "../../shared/context.ts";
import type { RunningWorker } from "../../worker/worker.ts";
import { anOpenAttempt } from "../support/builders.ts";
import { anActor, type TestContext } from "../support/context.ts";
import { describeInBothModes, wipeRedis } from "../support/queue-modes.ts";
import {
  aConnectedChannel,
  aPlannedDelivery,
  contextWith,
  eventually,
  startSimulatorOf,
  startWorkers,
} from "../support/publishing.ts";

const noon = new Date("2027-02-05T12:00:00Z");
const minutesAfterNoon = (minutes: number) => new Date(noon.getTime() + minutes * 60_000);

describeInBothModes("publishing", (mode) => {
  let simulator: Simulator;
  let stack: TestContext;
  let actor: Actor;
  let channel: { id: string; platform: string };
  let workers: RunningWorker[] = [];

  beforeAll(async () => {
    await wipeRedis(mode);
    simulator = await startSimulatorOf("sandbox", { now: () => stack.context.now() });
    stack = await contextWith({ sandbox: simulator }, mode.settings);
    actor = await anActor(stack);
  });
  beforeEach(async () => {
    await stack.setClock(noon);
    channel = await aConnectedChannel(stack, actor, "sandbox", simulator.account(`a${Date.now()}`));
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    workers = [];
  });
  afterAll(async () => {
    await stack.close();
    await simulator.close();
  });

  const delivery = (id: string) =>
    stack.db.selectFrom("deliveries").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
  const reaches = (id: string, state: string) =>
    eventually(
      () => delivery(id),
      (row) => row.state === state,
    );
  const seen = (text: string) => simulator.posts().filter((post) => post.text === text);

  test("publishes what is due and stores its receipt", async () => {
    const id = await aPlannedDelivery(stack, actor, channel, {
      texts: ["Know your numbers."],
      dueAt: noon,
    });

    workers = await startWorkers(stack);

    const published = await reaches(id, "published");
    const receipts = await stack.db
      .selectFrom("receipts")
      .selectAll()
      .where("deliveryId", "=", id)
      .execute();
    expect(receipts).toMatchObject([
      { part: 0, knownBy: "answered", remoteId: seen("Know your numbers.")[0]?.remoteId },
    ]);
    expect(published.nextAt).toBeNull();
    expect(published.engagementAt).not.toBeNull();
  });

  test("is woken at the right moment, long before the look for what was overlooked", async () => {
    workers = await startWorkers(stack);
    const before = performance.now();
    const dueAt = new Date(stack.context.now().getTime() + 500);
    const id = await aPlannedDelivery(stack, actor, channel, { texts: ["On time."], dueAt });

    await reaches(id, "published");

    expect(performance.now() - before).toBeLessThan(4_000);
  });

  test("leaves what is not due alone, and publishes it when its time comes", async () => {
    const dueAt = minutesAfterNoon(60);
    const id = await aPlannedDelivery(stack, actor, channel, { texts: ["Take a walk."], dueAt });
    const first = await aPlannedDelivery(stack, actor, channel, {
      texts: ["Breathe."],
      dueAt: noon,
    });

    workers = await startWorkers(stack);
    await reaches(first, "published");
    expect((await delivery(id)).state).toBe("scheduled");
    await stack.setClock(dueAt);

    await reaches(id, "published");
    expect(seen("Take a walk.")).toHaveLength(1);
  });

  test("publishes a thread in order, each part under the one before", async () => {
    const texts = ["One.", "Two.", "Three."].map((text) => `${text} ${channel.id}`);
    const id = await aPlannedDelivery(stack, actor, channel, { texts, dueAt: noon });

    workers = await startWorkers(stack);

    await reaches(id, "published");
    const posts = simulator.posts().filter((post) => post.text.endsWith(channel.id));
    expect(posts.map((post) => post.text)).toEqual(texts);
    expect(posts.map((post) => post.parent)).toEqual([
      null,
      posts[0]?.remoteId,
      posts[1]?.remoteId,
    ]);
  });

  test("publishes once however many workers there are", async () => {
    const dueAt = minutesAfterNoon(1);
    const texts = Array.from({ length: 30 }, (_, index) => `Fact ${index} ${channel.id}`);
    const ids: string[] = [];
    for (const text of texts) {
      ids.push(await aPlannedDelivery(stack, actor, channel, { texts: [text], dueAt }));
    }

    workers = await startWorkers(stack, 3);
    await stack.setClock(dueAt);

    for (const id of ids) await reaches(id, "published");
    expect(simulator.posts().filter((post) => post.text.endsWith(channel.id))).toHaveLength(30);
  });

  test("marks as missed what is found after its latest time", async () => {
    const id = await aPlannedDelivery(stack, actor, channel, {
      texts: ["Yesterday's news."],
      dueAt: minutesAfterNoon(-30),
    });

    workers = await startWorkers(stack);

    await reaches(id, "missed");
    expect(seen("Yesterday's news.")).toHaveLength(0);
  });

  test("makes up for an outage one by one, oldest first", async () => {
    const texts = ["Oldest", "Older", "Old"].map((text) => `${text} ${channel.id}`);
    for (const [index, text] of texts.entries()) {
      const dueAt = minutesAfterNoon(-10 + index);
      await aPlannedDelivery(stack, actor, channel, { texts: [text], dueAt });
    }
    const seenSoFar = () =>
      simulator.posts().flatMap(({ text }) => (text.endsWith(channel.id) ? [text] : []));
    const waitUntil = async () => {
      const { db } = stack;
      const row = db.selectFrom("channels").select("waitUntil").where("id", "=", channel.id);
      return (await row.executeTakeFirstOrThrow()).waitUntil ?? noon;
    };

    workers = await startWorkers(stack);
    let previous = noon;
    for (const count of [1, 2, 3]) {
      const until = await eventually(waitUntil, (time) => time > previous);
      expect(seenSoFar()).toEqual(texts.slice(0, count));
      await stack.setClock(until);
      previous = until;
    }
  });

  test("keeps the order of the times when the oldest had to be tried again", async () => {
    const older = await aPlannedDelivery(stack, actor, channel, {
      texts: [`First ${channel.id}`],
      dueAt: minutesAfterNoon(-2),
    });
    const nextAt = minutesAfterNoon(0);
    await stack.db.updateTable("deliveries").set({ nextAt }).where("id", "=", older).execute();
    const dueAt = minutesAfterNoon(-1);
    await aPlannedDelivery(stack, actor, channel, { texts: [`Second ${channel.id}`], dueAt });

    workers = await startWorkers(stack);
    const texts = () =>
      Promise.resolve(
        simulator.posts().flatMap(({ text }) => (text.endsWith(channel.id) ? [text] : [])),
      );
    await eventually(texts, (seen) => seen.length > 0);

    expect((await texts())[0]).toBe(`First ${channel.id}`);
  });

  test("adopts a post whose answer was lost instead of sending it again", async () => {
    simulator.fault("commit_reset_after_success", 1);
    const text = `Answer lost ${channel.id}`;
    const id = await aPlannedDelivery(stack, actor, channel, { texts: [text], dueAt: noon });

    workers = await startWorkers(stack);
    await reaches(id, "unknown");
    await stack.setClock(minutesAfterNoon(1));

    await reaches(id, "published");
    expect(seen(text)).toHaveLength(1);
    const receipts = await stack.db
      .selectFrom("receipts")
      .selectAll()
      .where("deliveryId", "=", id)
      .execute();
    expect(receipts).toMatchObject([{ knownBy: "reconciled" }]);
  });

  test("sends again after the platform has said that there is no such post", async () => {
    simulator.fault("commit_reset_before", 1);
    const text = `Request lost ${channel.id}`;
    const id = await aPlannedDelivery(stack, actor, channel, { texts: [text], dueAt: noon });

    workers = await startWorkers(stack);
    await reaches(id, "unknown");
    await stack.setClock(minutesAfterNoon(1));

    await reaches(id, "published");
    expect(seen(text)).toHaveLength(1);
    const outcomes = await stack.db
      .selectFrom("attempts")
      .innerJoin("attemptOutcomes", "attemptId", "id")
      .select("outcome")
      .where("deliveryId", "=", id)
      .orderBy("armedAt")
      .execute();
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(["not_published", "published"]);
  });

  test("waits as long as the platform asks, on that channel", async () => {
    simulator.fault("commit_rate_limited", 1);
    const id = await aPlannedDelivery(stack, actor, channel, {
      texts: ["Slow down."],
      dueAt: noon,
    });

    workers = await startWorkers(stack);
    const waiting = await eventually(
      () => delivery(id),
      (row) => row.error !== null,
    );
    expect(waiting).toMatchObject({
      state: "scheduled",
      error: { kind: "rate_limited" },
      tries: 0,
    });
    const { waitUntil } = await stack.db
      .selectFrom("channels")
      .select("waitUntil")
      .where("id", "=", channel.id)
      .executeTakeFirstOrThrow();
    expect(waiting.nextAt).toEqual(waitUntil);
    await stack.setClock(waitUntil ?? noon);

    await reaches(id, "published");
  });

  test("stops for a person when the platform refuses the text", async () => {
    simulator.fault("commit_content_rejected", 1);
    const id = await aPlannedDelivery(stack, actor, channel, { texts: ["Refused."], dueAt: noon });

    workers = await startWorkers(stack);

    const failed = await reaches(id, "failed");
    expect(failed).toMatchObject({ nextAt: null, error: { kind: "content_rejected" } });
  });

  test("sends nothing when the content is not the one that was scheduled", async () => {
    const text = `Approved ${channel.id}`;
    const id = await aPlannedDelivery(stack, actor, channel, { texts: [text], dueAt: noon });
    const parts = JSON.stringify([{ text: `Altered ${channel.id}`, mediaIds: [] }]);
    const { postId } = await delivery(id);
    await stack.db.updateTable("posts").set({ parts }).where("id", "=", postId).execute();

    workers = await startWorkers(stack);

    await reaches(id, "failed");
    expect(simulator.posts().filter((post) => post.text.endsWith(channel.id))).toEqual([]);
  });

  test("settles what a dead worker left in sending", async () => {
    const text = `Left behind ${channel.id}`;
    const id = await aPlannedDelivery(stack, actor, channel, {
      texts: [text],
      dueAt: noon,
      state: "sending",
    });
    await anOpenAttempt(stack.context, id);
    const prepared = JSON.stringify({ 0: { id: randomUUID(), pictures: {} } });
    await stack.db.updateTable("deliveries").set({ prepared }).where("id", "=", id).execute();

    workers = await startWorkers(stack);
    await reaches(id, "unknown");
    await stack.setClock(minutesAfterNoon(2));

    await reaches(id, "published");
    expect(seen(text)).toHaveLength(1);
  });

  test("reads engagement when it is due and keeps every reading", async () => {
    const id = await aPlannedDelivery(stack, actor, channel, {
      texts: [`Measured ${channel.id}`],
      dueAt: noon,
    });
    workers = await startWorkers(stack);
    await reaches(id, "published");
    const [post] = seen(`Measured ${channel.id}`);
    simulator.engage(post?.remoteId ?? "", { likes: 3 });
    const snapshots = () =>
      stack.db
        .selectFrom("snapshots")
        .selectAll()
        .where("deliveryId", "=", id)
        .orderBy("takenAt")
        .execute();

    await stack.setClock(minutesAfterNoon(16));
    const [first] = await eventually(snapshots, (rows) => rows.length === 1);
    expect(first?.metrics).toMatchObject({ likes: 3 });
    await stack.setClock(minutesAfterNoon(61));

    await eventually(snapshots, (rows) => rows.length === 2);
  });
});
