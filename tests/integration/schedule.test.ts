import { describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import { apiStack } from "../support/api-stack.ts";
import { aChannel, putDelivery } from "../support/builders.ts";
import { now, plannedPosts, publishedAt, tomorrow } from "../support/planned-posts.ts";

const stack = apiStack({ now, scope: "author" });
const posts = plannedPosts(stack);
const { draft, schedule, planned, stored } = posts;

describe("scheduling", () => {
  test("plans a delivery on every channel and wakes each, in one go", async () => {
    const postId = await draft({
      channelIds: [posts.channel.id, posts.other.id],
      latestAfterMinutes: 20,
    });

    const answer = await schedule(postId);

    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      id: postId,
      state: "scheduled",
      dueAt: "2027-02-02T15:00:00.000Z",
      ...tomorrow,
    });
    expect(answer.body.repeated).toBeUndefined();
    expect(answer.body.deliveries).toHaveLength(2);
    const dueAt = new Date("2027-02-02T15:00:00Z");
    const latestAt = new Date("2027-02-02T15:20:00Z");
    for (const row of await stored(postId)) {
      expect(row).toMatchObject({ state: "scheduled", dueAt, latestAt, nextAt: dueAt });
      expect(row).toMatchObject({ localTime: tomorrow.local, zone: tomorrow.zone, version: 1 });
      expect(row.tzdb).not.toBeNull();
    }
    const wakes = await stack.db.selectFrom("outbox").selectAll().execute();
    expect(new Set(wakes.map(({ subjectId }) => subjectId))).toEqual(
      new Set([posts.channel.id, posts.other.id]),
    );
  });

  test("at an instant keeps no wall clock", async () => {
    const postId = await draft();

    const answer = await schedule(postId, { utc: "2027-02-02T09:00:00-06:00" });

    expect(answer.body).toMatchObject({
      dueAt: "2027-02-02T15:00:00.000Z",
      local: null,
      zone: null,
    });
  });

  test("now makes it due at once", async () => {
    const postId = await draft();

    const answer = await schedule(postId, "now");

    expect(answer.body.dueAt).toBe(now.toISOString());
    expect(await stored(postId)).toMatchObject([{ nextAt: now, state: "scheduled" }]);
  });

  test("in an hour that happens twice takes the earlier one and says so", async () => {
    const postId = await draft();
    const at = { local: "2027-11-07T01:30", zone: "America/Chicago" };

    const first = await schedule(postId, at);
    const second = await schedule(postId, { ...at, repeated: "later" });

    const [earlier, later] = ["2027-11-07T06:30:00.000Z", "2027-11-07T07:30:00.000Z"];
    expect(first.body.dueAt).toBe(earlier);
    expect(first.body.repeated).toEqual({ taken: "earlier", otherDueAt: later });
    expect(second.body.dueAt).toBe(later);
    expect(second.body.repeated).toEqual({ taken: "later", otherDueAt: earlier });
  });

  test("again moves the delivery: same row, next version, clean slate", async () => {
    const { postId, deliveryIds } = await planned();

    const answer = await schedule(postId, { local: "2027-02-03T09:00", zone: "America/Chicago" });

    expect(answer.body.deliveries).toMatchObject([{ id: deliveryIds[0], state: "scheduled" }]);
    expect(await stored(postId)).toMatchObject([
      { version: 2, dueAt: new Date("2027-02-03T15:00:00Z"), tries: 0, looks: 0, error: null },
    ]);
  });

  test.each(["failed", "missed", "expired", "held"] as const)(
    "brings a %s delivery back and keeps what was prepared",
    async (state) => {
      const { postId, deliveryIds } = await planned();
      const [id = ""] = deliveryIds;
      const error = { kind: "unavailable", platformMessage: null, platformCode: null } as const;
      await putDelivery(stack.context, id, { state, error });
      const prepared = JSON.stringify({ 0: { mediaId: "7" } });
      await stack.db
        .updateTable("deliveries")
        .set({ prepared, tries: 3 })
        .where("id", "=", id)
        .execute();

      await schedule(postId);

      expect(await stored(postId)).toMatchObject([
        { state: "scheduled", error: null, tries: 0, prepared: { 0: { mediaId: "7" } } },
      ]);
    },
  );

  test.each(["preparing", "sending", "unknown"] as const)(
    "is refused while a delivery is %s, and moves nothing",
    async (state) => {
      const { postId, deliveryIds } = await planned({
        channelIds: [posts.channel.id, posts.other.id],
      });
      await putDelivery(stack.context, deliveryIds[0] ?? "", { state });
      const before = await stored(postId);

      const answer = await schedule(postId, { local: "2027-02-04T09:00", zone: "UTC" });

      expect(answer).toMatchObject({
        status: 409,
        body: { code: "post.publishing", errors: [{ deliveryId: deliveryIds[0], state }] },
      });
      expect(await stored(postId)).toEqual(before);
    },
  );

  test("leaves a published channel alone and moves the other one", async () => {
    const { postId } = await planned({ channelIds: [posts.channel.id, posts.other.id] });
    const [first, second] = await stored(postId);
    await putDelivery(stack.context, first?.id ?? "", { state: "published", publishedAt });

    const answer = await schedule(postId, { local: "2027-02-04T09:00", zone: "UTC" });

    expect(answer.status).toBe(200);
    const after = await stored(postId);
    expect(after.find(({ id }) => id === first?.id)).toMatchObject({
      state: "published",
      version: 1,
    });
    expect(after.find(({ id }) => id === second?.id)).toMatchObject({
      dueAt: new Date("2027-02-04T09:00:00Z"),
    });
  });

  test.each([
    ["published", "is published."],
    ["partial", "is published in part."],
  ] as const)("is refused when every channel is %s", async (state, words) => {
    const { postId, deliveryIds } = await planned();
    await putDelivery(stack.context, deliveryIds[0] ?? "", { state, publishedAt });

    const answer = await schedule(postId, { local: "2027-02-04T09:00", zone: "UTC" });

    const [id] = deliveryIds;
    expect(answer).toMatchObject({
      status: 409,
      body: { code: "post.already_published", errors: [{ detail: `Delivery ${id} ${words}` }] },
    });
  });

  test("twice at the same moment makes one delivery", async () => {
    const postId = await draft();

    const answers = await Promise.all(Array.from({ length: 6 }, () => schedule(postId)));

    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 200));
    expect(await stored(postId)).toHaveLength(1);
  });

  test("under one Idempotency-Key moves nothing the second time", async () => {
    const postId = await draft();
    const key = { "idempotency-key": uuidv7() };
    const again = () => stack.client.post(`/posts/${postId}/schedule`, { at: tomorrow }, key);

    const answers = [await again(), await again()];

    expect(answers[1]?.body).toEqual(answers[0]?.body);
    expect(answers[1]?.headers.get("idempotency-replayed")).toBe("true");
    expect(await stored(postId)).toMatchObject([{ version: 1 }]);
  });

  test("of a version that somebody has edited since is refused", async () => {
    const postId = await draft();
    await stack.client.patch(`/posts/${postId}`, { labels: ["edited"] });

    const answer = await stack.client.post(
      `/posts/${postId}/schedule`,
      { at: tomorrow },
      { "if-match": '"1"' },
    );

    expect(answer).toMatchObject({ status: 412, body: { code: "post.changed" } });
    expect(await stored(postId)).toEqual([]);
  });

  test("is refused for a post without channels", async () => {
    const postId = await draft({ channelIds: [] });

    expect(await schedule(postId)).toMatchObject({
      status: 400,
      body: { code: "post.no_channels" },
    });
  });

  test("is refused when a channel was removed since", async () => {
    const gone = await aChannel(stack.context, stack.client.actor);
    const postId = await draft({ channelIds: [posts.channel.id, gone.id] });
    await stack.db
      .updateTable("channels")
      .set({ removedAt: now })
      .where("id", "=", gone.id)
      .execute();

    const answer = await schedule(postId);

    expect(answer).toMatchObject({ status: 400, body: { code: "post.unknown_channel" } });
    expect(await stored(postId)).toEqual([]);
  });
});
