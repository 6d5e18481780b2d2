import { afterEach, expect, test } from "@jest/globals";
import { schedulePost } from "../../shared/commands/schedule-post.ts";
import { addMedia, storeImage } from "../../shared/commands/upload-media.ts";
import type { Fault } from "../../shared/connectors/simulator.ts";
import { aPost } from "../support/builders.ts";
import { aPicture } from "../support/pictures.ts";
import { minutesAfterNoon, noon, publishingStack } from "../support/publishing-stack.ts";
import { eventually } from "../support/publishing.ts";
import { describeInBothModes } from "../support/queue-modes.ts";

/** More than any look needs. */
const ALWAYS = 1_000;

describeInBothModes("checking receipts", (mode) => {
  const stack = publishingStack(mode, { platform: "mastodon" });
  afterEach(() => {
    for (const fault of FAULTS_USED) stack.simulator.fault(fault, 0);
  });

  const published = async (texts: readonly string[]) => {
    const id = await stack.plan({ texts, dueAt: noon });
    await becomesPublished(id);
    return id;
  };
  const becomesPublished = async (id: string) => {
    await stack.start();
    await eventually(
      () => stack.find(id),
      ({ state }) => state === "published",
    );
  };
  /** What the checks have found, once there are that many. */
  const checks = async (id: string, atLeast: number) => {
    const { readBacks } = await eventually(
      () => stack.find(id),
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
    stack.simulator.fault("read_altered", ALWAYS);

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
    stack.simulator.fault("read_missing", ALWAYS);

    await stack.setClock(minutesAfterNoon(2));
    await eventually(
      () => row(id),
      ({ readBackAt }) => readBackAt !== null && readBackAt > minutesAfterNoon(4),
    );
    expect((await stack.find(id)).readBacks).toEqual([]);
    await stack.setClock(minutesAfterNoon(11));

    const differences = [{ part: 0, what: "missing" }];
    expect(await checks(id, 1)).toEqual([{ verdict: "missing", differences, reason: null }]);
    expect(await told(id)).toBe(1);
  });

  test("notices within a day that one part of a thread was removed", async () => {
    const texts = ["One", "Two", "Three"].map((text) => `${text} ${stack.channel.id}`);
    const id = await published(texts);
    await stack.setClock(minutesAfterNoon(2));
    await checks(id, 1);
    stack.simulator.fault("read_missing", ALWAYS);

    await stack.setClock(minutesAfterNoon(24 * 60 + 2));

    const missing = { verdict: "missing", differences: [{ part: 2, what: "missing" }] };
    expect(await checks(id, 2)).toEqual([matches, { ...missing, reason: null }]);
    expect((await stack.find(id)).readBack).toBe("missing");
  });

  test("notices that an alt text was lost", async () => {
    const altText = "A blood pressure cuff on an arm";
    const bytes = await aPicture("png");
    const upload = { bytes, filename: "cuff.png", contentType: "image/png", altText };
    const medium = await addMedia(
      stack.context,
      await storeImage(stack.context, stack.actor, upload),
    );
    const post = await aPost(stack.context, stack.actor, {
      parts: [{ text: `Measured ${stack.channel.id}`, mediaIds: [medium.id] }],
      channelIds: [stack.channel.id],
    });
    await schedulePost(stack.context, stack.actor, { postId: post.id, at: "now" });
    const { id } = await stack.db
      .selectFrom("deliveries")
      .select("id")
      .where("postId", "=", post.id)
      .executeTakeFirstOrThrow();
    await becomesPublished(id);

    await stack.setClock(minutesAfterNoon(2));
    await checks(id, 1);
    stack.simulator.fault("read_without_alt", ALWAYS);
    await stack.setClock(minutesAfterNoon(24 * 60 + 2));

    const differences = [{ part: 0, what: "alt_text" }];
    const lost = { verdict: "differs", differences, reason: null };
    expect(await checks(id, 2)).toEqual([matches, lost]);
  });

  test("asks again when the platform was away", async () => {
    const id = await published(["Patience"]);
    stack.simulator.fault("read_unavailable", ALWAYS);
    await stack.setClock(minutesAfterNoon(2));
    await eventually(
      () => row(id),
      ({ readBackTries }) => readBackTries === 1,
    );
    stack.simulator.fault("read_unavailable", 0);

    await stack.setClock(minutesAfterNoon(5));

    expect(await checks(id, 1)).toEqual([matches]);
    expect((await row(id)).readBackTries).toBe(0);
  });

  test("says so when the platform refuses, and tries again after a day", async () => {
    const id = await published(["Locked out"]);
    stack.simulator.expireTokens(stack.account, { forGood: true });

    await stack.setClock(minutesAfterNoon(2));
    const found = await checks(id, 1);

    expect(found).toEqual([{ verdict: "unreadable", differences: [], reason: "reauthorize" }]);
    const { state } = await stack.db
      .selectFrom("channels")
      .select("state")
      .where("id", "=", stack.channel.id)
      .executeTakeFirstOrThrow();
    expect(state).toBe("needs_attention");
    expect((await row(id)).readBackAt).not.toBeNull();
    expect(await told(id)).toBe(0);
  });

  test("checks more posts than fit into one request, threads among them", async () => {
    const plans = Array.from({ length: 12 }, (_, index) => [`Post ${index}`, `Part ${index}`]);
    const ids: string[] = [];
    for (const texts of plans) {
      ids.push(await stack.plan({ texts, dueAt: noon }));
    }
    await stack.start();
    for (const id of ids) {
      await eventually(
        () => stack.find(id),
        ({ state }) => state === "published",
      );
    }

    await stack.setClock(minutesAfterNoon(2));

    for (const id of ids) expect(await checks(id, 1)).toEqual([matches]);
  });

  test("does not compare with content that was changed by hand", async () => {
    const id = await published(["Approved"]);
    const { postId } = await stack.find(id);
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
