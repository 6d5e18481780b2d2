import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { schedulePost } from "../../shared/commands/schedule-post.ts";
import { addMedia, storeImage } from "../../shared/commands/upload-media.ts";
import type { Fault, Simulator } from "../../shared/connectors/simulator.ts";
import type { Actor } from "../../shared/context.ts";
import { findDelivery } from "../../shared/queries/deliveries.ts";
import type { RunningWorker } from "../../worker/worker.ts";
import { aPost } from "../support/builders.ts";
import { anActor, type TestContext } from "../support/context.ts";
import { aPicture } from "../support/pictures.ts";
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
const minutesAfterNoon = (minutes: number) => new Date(noon.getTime() + minutes * 60_000);

/** More than any look needs. */
const ALWAYS = 1_000;

describeInBothModes("checking receipts", (mode) => {
  let simulator: Simulator;
  let stack: TestContext;
  let actor: Actor;
  let channel: { id: string; platform: string };
  let workers: readonly RunningWorker[] = [];
  let count = 0;

  beforeAll(async () => {
    await wipeRedis(mode);
    simulator = await startSimulatorOf("mastodon", { now: () => stack.context.now() });
    stack = await contextWith({ mastodon: simulator }, mode.settings);
    actor = await anActor(stack);
  });
  beforeEach(async () => {
    await stack.setClock(noon);
    count += 1;
    const credentials = simulator.account(`account ${count}`);
    channel = await aConnectedChannel(stack, actor, "mastodon", credentials);
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    workers = [];
    for (const fault of FAULTS_USED) simulator.fault(fault, 0);
  });
  afterAll(async () => {
    await stack.close();
    await simulator.close();
  });

  const find = async (id: string) => {
    const delivery = await findDelivery(stack.db, actor.workspaceId, id);
    if (!delivery) throw new Error("There is no such delivery");
    return delivery;
  };
  const published = async (texts: readonly string[]) => {
    const id = await aPlannedDelivery(stack, actor, channel, { texts, dueAt: noon });
    await becomesPublished(id);
    return id;
  };
  const becomesPublished = async (id: string) => {
    workers = await startWorkers(stack);
    await eventually(
      () => find(id),
      ({ state }) => state === "published",
    );
  };
  /** What the checks have found, once there are that many. */
  const checks = async (id: string, atLeast: number) => {
    const { readBacks } = await eventually(
      () => find(id),
      (delivery) => delivery.readBacks.length >= atLeast,
    );
    return readBacks.map(({ verdict, differences, reason }) => ({ verdict, differences, reason }));
  };
  const row = (id: string) =>
    stack.db
      .selectFrom("deliveries")
      .select(["readBack", "readBackAt", "readBackTries"])
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
  const told = async (id: string) => {
    const events = await stack.db
      .selectFrom("events")
      .select("type")
      .where("subjectId", "=", id)
      .where("type", "=", "delivery.differs")
      .execute();
    return events.length;
  };

  const matches = { verdict: "matches", differences: [], reason: null };

  test("finds a post as it was sent after a minute and after a day, and asks no more", async () => {
    const id = await published(["Know your numbers: https://heart.org & <you> @a@b.example"]);
    expect((await row(id)).readBackAt).not.toBeNull();

    await stack.setClock(minutesAfterNoon(2));
    expect(await checks(id, 1)).toEqual([matches]);
    await stack.setClock(minutesAfterNoon(24 * 60 + 2));

    expect(await checks(id, 2)).toEqual([matches, matches]);
    expect(await row(id)).toMatchObject({ readBack: "matches", readBackAt: null });
    expect(await told(id)).toBe(0);
  });

  test("tells when the words of a part were changed, and keeps none of them", async () => {
    const id = await published(["One of the thread", "Two of the thread"]);
    simulator.fault("read_altered", ALWAYS);

    await stack.setClock(minutesAfterNoon(2));
    const found = await checks(id, 1);
    await stack.setClock(minutesAfterNoon(24 * 60 + 2));
    await checks(id, 2);

    const differences = [{ part: 1, what: "text" }];
    expect(found).toEqual([{ verdict: "differs", differences, reason: null }]);
    expect(await row(id)).toMatchObject({ readBack: "differs" });
    expect(await told(id)).toBe(1);
    const rows = await stack.db.selectFrom("readBacks").selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain("thread");
  });

  test("doubts that a young post is gone, and believes it later", async () => {
    const id = await published(["Here today"]);
    simulator.fault("read_missing", ALWAYS);

    await stack.setClock(minutesAfterNoon(2));
    await eventually(
      () => row(id),
      ({ readBackAt }) => readBackAt !== null && readBackAt > minutesAfterNoon(4),
    );
    expect((await find(id)).readBacks).toEqual([]);
    await stack.setClock(minutesAfterNoon(11));

    const differences = [{ part: 0, what: "missing" }];
    expect(await checks(id, 1)).toEqual([{ verdict: "missing", differences, reason: null }]);
    expect(await told(id)).toBe(1);
  });

  test("notices within a day that one part of a thread was removed", async () => {
    const texts = ["One", "Two", "Three"].map((text) => `${text} ${channel.id}`);
    const id = await published(texts);
    await stack.setClock(minutesAfterNoon(2));
    await checks(id, 1);
    simulator.fault("read_missing", ALWAYS);

    await stack.setClock(minutesAfterNoon(24 * 60 + 2));

    const missing = { verdict: "missing", differences: [{ part: 2, what: "missing" }] };
    expect(await checks(id, 2)).toEqual([matches, { ...missing, reason: null }]);
    expect((await find(id)).readBack).toBe("missing");
  });

  test("notices that an alt text was lost", async () => {
    const altText = "A blood pressure cuff on an arm";
    const bytes = await aPicture("png");
    const upload = { bytes, filename: "cuff.png", contentType: "image/png", altText };
    const medium = await addMedia(stack.context, await storeImage(stack.context, actor, upload));
    const post = await aPost(stack.context, actor, {
      parts: [{ text: `Measured ${channel.id}`, mediaIds: [medium.id] }],
      channelIds: [channel.id],
    });
    await schedulePost(stack.context, actor, { postId: post.id, at: "now" });
    const { id } = await stack.db
      .selectFrom("deliveries")
      .select("id")
      .where("postId", "=", post.id)
      .executeTakeFirstOrThrow();
    await becomesPublished(id);

    await stack.setClock(minutesAfterNoon(2));
    await checks(id, 1);
    simulator.fault("read_without_alt", ALWAYS);
    await stack.setClock(minutesAfterNoon(24 * 60 + 2));

    const differences = [{ part: 0, what: "alt_text" }];
    const lost = { verdict: "differs", differences, reason: null };
    expect(await checks(id, 2)).toEqual([matches, lost]);
  });

  test("asks again when the platform was away", async () => {
    const id = await published(["Patience"]);
    simulator.fault("read_unavailable", ALWAYS);
    await stack.setClock(minutesAfterNoon(2));
    await eventually(
      () => row(id),
      ({ readBackTries }) => readBackTries === 1,
    );
    simulator.fault("read_unavailable", 0);

    await stack.setClock(minutesAfterNoon(5));

    expect(await checks(id, 1)).toEqual([matches]);
    expect((await row(id)).readBackTries).toBe(0);
  });

  test("says so when the platform refuses, and tries again after a day", async () => {
    const id = await published(["Locked out"]);
    simulator.expireTokens(`account ${count}`, { forGood: true });

    await stack.setClock(minutesAfterNoon(2));
    const found = await checks(id, 1);

    expect(found).toEqual([{ verdict: "unreadable", differences: [], reason: "reauthorize" }]);
    const { state } = await stack.db
      .selectFrom("channels")
      .select("state")
      .where("id", "=", channel.id)
      .executeTakeFirstOrThrow();
    expect(state).toBe("needs_attention");
    expect((await row(id)).readBackAt).not.toBeNull();
    expect(await told(id)).toBe(0);
  });

  test("checks more posts than fit into one request, threads among them", async () => {
    const plans = Array.from({ length: 12 }, (_, index) => [`Post ${index}`, `Part ${index}`]);
    const ids: string[] = [];
    for (const texts of plans) {
      ids.push(await aPlannedDelivery(stack, actor, channel, { texts, dueAt: noon }));
    }
    workers = await startWorkers(stack);
    for (const id of ids) {
      await eventually(
        () => find(id),
        ({ state }) => state === "published",
      );
    }

    await stack.setClock(minutesAfterNoon(2));

    for (const id of ids) expect(await checks(id, 1)).toEqual([matches]);
  });

  test("does not compare with content that was changed by hand", async () => {
    const id = await published(["Approved"]);
    const { postId } = await find(id);
    const parts = JSON.stringify([{ text: "Altered", mediaIds: [] }]);
    await stack.db.updateTable("posts").set({ parts }).where("id", "=", postId).execute();

    await stack.setClock(minutesAfterNoon(2));

    expect(await checks(id, 1)).toEqual([
      { verdict: "unreadable", differences: [], reason: "bug" },
    ]);
  });
});

const FAULTS_USED: readonly Fault[] = [
  "read_altered",
  "read_missing",
  "read_without_alt",
  "read_unavailable",
];
