import { expect, test } from "@jest/globals";
import { randomUUID } from "node:crypto";
import { anOpenAttempt } from "../support/builders.ts";
import { minutesAfterNoon, noon, publishingStack } from "../support/publishing-stack.ts";
import { describeInBothModes } from "../support/queue-modes.ts";
import { eventually } from "../support/publishing.ts";

describeInBothModes("publishing", (mode) => {
  const stack = publishingStack(mode);

  const seen = (text: string) => stack.simulator.posts().filter((post) => post.text === text);

  test("publishes what is due and stores its receipt", async () => {
    const id = await stack.plan({
      texts: ["Know your numbers."],
      dueAt: noon,
    });

    await stack.start();

    await stack.reaches(id, "published");
    const published = await stack.row(id);
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
    await stack.start();
    const before = performance.now();
    const dueAt = new Date(stack.context.now().getTime() + 500);
    const id = await stack.plan({ texts: ["On time."], dueAt });

    await stack.reaches(id, "published");

    expect(performance.now() - before).toBeLessThan(4_000);
  });

  test("leaves what is not due alone, and publishes it when its time comes", async () => {
    const dueAt = minutesAfterNoon(60);
    const id = await stack.plan({ texts: ["Take a walk."], dueAt });
    const first = await stack.plan({
      texts: ["Breathe."],
      dueAt: noon,
    });

    await stack.start();
    await stack.reaches(first, "published");
    expect((await stack.find(id)).state).toBe("scheduled");
    await stack.setClock(dueAt);

    await stack.reaches(id, "published");
    expect(seen("Take a walk.")).toHaveLength(1);
  });

  test("publishes a thread in order, each part under the one before", async () => {
    const texts = ["One.", "Two.", "Three."].map((text) => `${text} ${stack.channel.id}`);
    const id = await stack.plan({ texts, dueAt: noon });

    await stack.start();

    await stack.reaches(id, "published");
    const posts = stack.posts();
    expect(posts.map((post) => post.text)).toEqual(texts);
    expect(posts.map((post) => post.parent)).toEqual([
      null,
      posts[0]?.remoteId,
      posts[1]?.remoteId,
    ]);
  });

  test("publishes once however many workers there are", async () => {
    const dueAt = minutesAfterNoon(1);
    const texts = Array.from({ length: 30 }, (_, index) => `Fact ${index} ${stack.channel.id}`);
    const ids: string[] = [];
    for (const text of texts) {
      ids.push(await stack.plan({ texts: [text], dueAt }));
    }

    await stack.start(3);
    await stack.setClock(dueAt);

    for (const id of ids) await stack.reaches(id, "published");
    expect(stack.posts()).toHaveLength(30);
  });

  test("marks as missed what is found after its latest time", async () => {
    const id = await stack.plan({
      texts: ["Yesterday's news."],
      dueAt: minutesAfterNoon(-30),
    });

    await stack.start();

    await stack.reaches(id, "missed");
    expect(seen("Yesterday's news.")).toHaveLength(0);
  });

  test("makes up for an outage one by one, oldest first", async () => {
    const texts = ["Oldest", "Older", "Old"].map((text) => `${text} ${stack.channel.id}`);
    for (const [index, text] of texts.entries()) {
      const dueAt = minutesAfterNoon(-10 + index);
      await stack.plan({ texts: [text], dueAt });
    }
    const seenSoFar = () => stack.posts().map(({ text }) => text);
    const waitUntil = async () => {
      const { db } = stack;
      const row = db.selectFrom("channels").select("waitUntil").where("id", "=", stack.channel.id);
      return (await row.executeTakeFirstOrThrow()).waitUntil ?? noon;
    };

    await stack.start();
    let previous = noon;
    for (const count of [1, 2, 3]) {
      const until = await eventually(waitUntil, (time) => time > previous);
      expect(seenSoFar()).toEqual(texts.slice(0, count));
      await stack.setClock(until);
      previous = until;
    }
  });

  test("keeps the order of the times when the oldest had to be tried again", async () => {
    const older = await stack.plan({
      texts: [`First ${stack.channel.id}`],
      dueAt: minutesAfterNoon(-2),
    });
    const nextAt = minutesAfterNoon(0);
    await stack.db.updateTable("deliveries").set({ nextAt }).where("id", "=", older).execute();
    const dueAt = minutesAfterNoon(-1);
    await stack.plan({ texts: [`Second ${stack.channel.id}`], dueAt });

    await stack.start();
    const texts = () => Promise.resolve(stack.posts().map(({ text }) => text));
    await eventually(texts, (seen) => seen.length > 0);

    expect((await texts())[0]).toBe(`First ${stack.channel.id}`);
  });

  test("adopts a post whose answer was lost instead of sending it again", async () => {
    stack.simulator.fault("commit_reset_after_success", 1);
    const text = `Answer lost ${stack.channel.id}`;
    const id = await stack.plan({ texts: [text], dueAt: noon });

    await stack.start();
    await stack.reaches(id, "unknown");
    await stack.setClock(minutesAfterNoon(1));

    await stack.reaches(id, "published");
    expect(seen(text)).toHaveLength(1);
    const receipts = await stack.db
      .selectFrom("receipts")
      .selectAll()
      .where("deliveryId", "=", id)
      .execute();
    expect(receipts).toMatchObject([{ knownBy: "reconciled" }]);
  });

  test("sends again after the platform has said that there is no such post", async () => {
    stack.simulator.fault("commit_reset_before", 1);
    const text = `Request lost ${stack.channel.id}`;
    const id = await stack.plan({ texts: [text], dueAt: noon });

    await stack.start();
    await stack.reaches(id, "unknown");
    await stack.setClock(minutesAfterNoon(1));

    await stack.reaches(id, "published");
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
    stack.simulator.fault("commit_rate_limited", 1);
    const id = await stack.plan({
      texts: ["Slow down."],
      dueAt: noon,
    });

    await stack.start();
    const waiting = await eventually(
      () => stack.row(id),
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
      .where("id", "=", stack.channel.id)
      .executeTakeFirstOrThrow();
    expect(waiting.nextAt).toEqual(waitUntil);
    await stack.setClock(waitUntil ?? noon);

    await stack.reaches(id, "published");
  });

  test("stops for a person when the platform refuses the text", async () => {
    stack.simulator.fault("commit_content_rejected", 1);
    const id = await stack.plan({ texts: ["Refused."], dueAt: noon });

    await stack.start();

    const failed = await stack.reaches(id, "failed");
    expect(failed).toMatchObject({ nextAt: null, error: { kind: "content_rejected" } });
  });

  test("sends nothing when the content is not the one that was scheduled", async () => {
    const text = `Approved ${stack.channel.id}`;
    const id = await stack.plan({ texts: [text], dueAt: noon });
    const parts = JSON.stringify([{ text: `Altered ${stack.channel.id}`, mediaIds: [] }]);
    const { postId } = await stack.find(id);
    await stack.db.updateTable("posts").set({ parts }).where("id", "=", postId).execute();

    await stack.start();

    await stack.reaches(id, "failed");
    expect(stack.posts()).toEqual([]);
  });

  test("settles what a dead worker left in sending", async () => {
    const text = `Left behind ${stack.channel.id}`;
    const id = await stack.plan({
      texts: [text],
      dueAt: noon,
      state: "sending",
    });
    await anOpenAttempt(stack.context, id);
    const prepared = JSON.stringify({ 0: { id: randomUUID(), pictures: {} } });
    await stack.db.updateTable("deliveries").set({ prepared }).where("id", "=", id).execute();

    await stack.start();
    await stack.reaches(id, "unknown");
    await stack.setClock(minutesAfterNoon(2));

    await stack.reaches(id, "published");
    expect(seen(text)).toHaveLength(1);
  });

  test("reads engagement when it is due and keeps every reading", async () => {
    const id = await stack.plan({
      texts: [`Measured ${stack.channel.id}`],
      dueAt: noon,
    });
    await stack.start();
    await stack.reaches(id, "published");
    const [post] = seen(`Measured ${stack.channel.id}`);
    stack.simulator.engage(post?.remoteId ?? "", { likes: 3 });
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
