import { describe, expect, test } from "@jest/globals";
import type { PostView } from "../../shared/contract/post.ts";
import { statusesOf } from "../support/api-client.ts";
import { apiStack } from "../support/api-stack.ts";
import { aChannel, putDelivery } from "../support/builders.ts";
import {
  deliveryOf,
  now,
  plannedPosts,
  publishedAt,
  text,
  tomorrow,
} from "../support/planned-posts.ts";

const stack = apiStack({ now, scope: "author" });
const posts = plannedPosts(stack);
const { created, scheduled, storedDelivery } = posts;

describe("editing", () => {
  test("changes what is named, leaves the rest, and counts the version up", async () => {
    const post = await created({ labels: ["sleep"], campaign: "A" });

    const answer = await stack.client.patch<PostView>(`/posts/${post.id}`, { labels: ["food"] });

    expect(answer.status).toBe(200);
    expect(answer.headers.get("etag")).toBe('"2"');
    expect(answer.body).toMatchObject({ version: 2, labels: ["food"], campaign: "A" });
    expect(answer.body.contentHash).toBe(post.contentHash);
  });

  test("is refused on an older version than the one that was read", async () => {
    const post = await created();
    const stale = { "if-match": '"1"' };
    const change = (words: string) => ({ parts: text(words) });
    await stack.client.patch(`/posts/${post.id}`, change("Second."), stale);

    const answer = await stack.client.patch(`/posts/${post.id}`, change("Third."), stale);

    expect(answer).toMatchObject({ status: 412, body: { code: "post.changed" } });
    const { body } = await stack.client.get<PostView>(`/posts/${post.id}`);
    expect(body.parts[0]?.text).toBe("Second.");
  });

  test("gives a planned delivery the new words and drops what was prepared", async () => {
    const post = await scheduled();
    const id = deliveryOf(post);
    await stack.db
      .updateTable("deliveries")
      .set({ prepared: JSON.stringify({ 0: { mediaId: "7" } }) })
      .where("id", "=", id)
      .execute();
    const before = await storedDelivery(id);

    await stack.client.patch(`/posts/${post.id}`, {
      parts: text("Walk for a quarter of an hour."),
    });

    const after = await storedDelivery(id);
    expect(after).toMatchObject({ state: "scheduled", prepared: {}, version: before.version + 1 });
    expect(after.contentHash).not.toBe(before.contentHash);
    expect(after.dueAt).toEqual(before.dueAt);
  });

  test("of a label alone leaves the delivery as it is", async () => {
    const post = await scheduled();
    const before = await storedDelivery(deliveryOf(post));

    await stack.client.patch(`/posts/${post.id}`, { labels: ["walking"], campaign: "Move more" });

    expect(await storedDelivery(deliveryOf(post))).toEqual(before);
  });

  test("of how late it may be moves the latest time", async () => {
    const post = await scheduled();

    await stack.client.patch(`/posts/${post.id}`, { latestAfterMinutes: 60 });

    const { dueAt, latestAt } = await storedDelivery(deliveryOf(post));
    expect(latestAt.getTime() - dueAt.getTime()).toBe(60 * 60_000);
  });

  test.each(["preparing", "sending", "unknown"] as const)(
    "is refused while the delivery is %s",
    async (state) => {
      const post = await scheduled();
      await putDelivery(stack.context, deliveryOf(post), { state });

      const answer = await stack.client.patch(`/posts/${post.id}`, { parts: text("Other words.") });

      expect(answer).toMatchObject({ status: 409, body: { code: "post.publishing" } });
      expect((await stack.client.get(`/posts/${post.id}`)).body.version).toBe(1);
    },
  );

  test.each(["published", "partial"] as const)(
    "is refused when the delivery is %s, but its labels may still change",
    async (state) => {
      const post = await scheduled();
      await putDelivery(stack.context, deliveryOf(post), { state, publishedAt });

      const words = await stack.client.patch(`/posts/${post.id}`, { parts: text("Other words.") });
      const labels = await stack.client.patch(`/posts/${post.id}`, { labels: ["done"] });

      expect(words).toMatchObject({ status: 409, body: { code: "post.already_published" } });
      expect(labels.status).toBe(200);
    },
  );

  test("cancels the delivery of a channel that is taken away, and the variant goes with it", async () => {
    const other = await aChannel(stack.context, stack.client.actor);
    const post = await scheduled({
      channelIds: [posts.channel.id, other.id],
      variants: { [other.id]: { parts: text("Walk!") } },
    });
    const gone = post.deliveries.find(({ channelId }) => channelId === other.id);

    const answer = await stack.client.patch<PostView>(`/posts/${post.id}`, {
      channelIds: [posts.channel.id],
    });

    expect(answer.body).toMatchObject({ variants: {}, state: "scheduled" });
    expect(answer.body.deliveries.map(({ channelId }) => channelId)).toEqual([posts.channel.id]);
    expect(await storedDelivery(gone?.id ?? "")).toMatchObject({
      state: "cancelled",
      nextAt: null,
    });
  });

  test("that takes the last channel away is refused: taking a time back is another request", async () => {
    const post = await scheduled();

    const answer = await stack.client.patch(`/posts/${post.id}`, { channelIds: [] });

    expect(answer).toMatchObject({ status: 400, body: { code: "post.no_channels" } });
  });

  test("plans a channel that joins at the time of the others, and wakes it", async () => {
    const other = await aChannel(stack.context, stack.client.actor);
    const post = await scheduled();

    const channelIds = [posts.channel.id, other.id];
    const answer = await stack.client.patch<PostView>(`/posts/${post.id}`, { channelIds });

    const joined = answer.body.deliveries.find(({ channelId }) => channelId === other.id);
    expect(joined).toMatchObject({ state: "scheduled", dueAt: "2027-02-02T15:00:00.000Z" });
    expect(await storedDelivery(joined?.id ?? "")).toMatchObject({
      localTime: tomorrow.local,
      zone: tomorrow.zone,
    });
    const woken = stack.db.selectFrom("outbox").selectAll().where("subjectId", "=", other.id);
    expect(await woken.execute()).toMatchObject([
      { job: "publish-channel", lane: "sandbox", runAt: new Date("2027-02-02T15:00:00Z") },
    ]);
  });

  test("refuses a channel that joins after the time has passed", async () => {
    const other = await aChannel(stack.context, stack.client.actor);
    const post = await scheduled();
    await putDelivery(stack.context, deliveryOf(post), { state: "published", publishedAt });

    const channelIds = [posts.channel.id, other.id];
    const answer = await stack.client.patch(`/posts/${post.id}`, { channelIds });

    expect(answer).toMatchObject({ status: 409, body: { code: "post.time_in_past" } });
    expect((await stack.client.get<PostView>(`/posts/${post.id}`)).body.channelIds).toEqual([
      posts.channel.id,
    ]);
  });

  test("of a planned post is held against what its channels take", async () => {
    const post = await scheduled();

    const answer = await stack.client.patch(`/posts/${post.id}`, { parts: text("x".repeat(501)) });

    expect(answer).toMatchObject({
      status: 400,
      body: {
        code: "post.does_not_fit",
        errors: [{ path: "parts.0.text", code: "text.too_long" }],
      },
    });
    expect((await stack.client.get(`/posts/${post.id}`)).body.version).toBe(1);
  });

  test("of two people at once loses nobody's words unseen", async () => {
    const post = await scheduled();
    const match = { "if-match": '"1"' };
    const edit = (words: string) =>
      stack.client.patch(`/posts/${post.id}`, { parts: text(words) }, match);

    const answers = await Promise.all([edit("From Ann."), edit("From Bob.")]);

    expect(statusesOf(answers)).toEqual([200, 412]);
  });
});
