import { describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import type { PostView } from "../../shared/contract/post.ts";
import type { CancelledPostView } from "../../shared/contract/schedule.ts";
import { statusesOf } from "../support/api-client.ts";
import { apiStack } from "../support/api-stack.ts";
import { aChannel, aMedium, putDelivery } from "../support/builders.ts";
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
const { created, draft, planned, schedule, scheduled, stored, storedDelivery } = posts;

describe("a new post", () => {
  test("is a draft with a version, a hash and an ETag, and reads back the same", async () => {
    const medium = await aMedium(stack.context, stack.client.actor);
    const answer = await stack.client.post<PostView>("/posts", {
      externalId: "ahm-1",
      parts: [{ text: "  Know your numbers.\r\nAsk us.  ", mediaIds: [medium.id] }],
      channelIds: [posts.channel.id],
      variants: { [posts.channel.id]: { parts: text("Know your numbers!") } },
      labels: ["blood pressure"],
      campaign: "Heart Month",
      link: "https://www.cdc.gov/high-blood-pressure/",
      sources: [{ url: "https://www.cdc.gov/high-blood-pressure/", title: "CDC" }],
      latestAfterMinutes: 30,
    });

    expect(answer.status).toBe(201);
    expect(answer.headers.get("etag")).toBe('"1"');
    expect(answer.body).toMatchObject({
      externalId: "ahm-1",
      state: "draft",
      version: 1,
      parts: [{ text: "Know your numbers.\nAsk us.", mediaIds: [medium.id] }],
      deliveries: [],
    });
    expect(answer.body.contentHash).toMatch(/^[0-9a-f]{64}$/);
    const again = await stack.client.get<PostView>(`/posts/${answer.body.id}`);
    expect(again.body).toEqual(answer.body);
    expect(again.headers.get("etag")).toBe('"1"');
  });

  test("needs no more than one part, and no channel", async () => {
    const post = await created();

    expect(post).toMatchObject({ channelIds: [], labels: [], link: null, latestAfterMinutes: 15 });
  });

  test("is told of", async () => {
    const post = await created();

    const events = await stack.db
      .selectFrom("events")
      .select(["type", "workspaceId"])
      .where("subjectId", "=", post.id)
      .execute();
    expect(events).toEqual([{ type: "post.created", workspaceId: stack.client.actor.workspaceId }]);
  });

  test("keeps an external id for itself, also against a twin at the same moment", async () => {
    const body = { externalId: uuidv7(), parts: text("Once.") };

    const answers = await Promise.all([
      stack.client.post("/posts", body),
      stack.client.post("/posts", body),
    ]);

    expect(statusesOf(answers)).toEqual([201, 409]);
    const first = answers.find(({ status }) => status === 201);
    const second = answers.find(({ status }) => status === 409);
    expect(second?.body).toMatchObject({
      code: "post.external_id_taken",
      errors: [{ path: "externalId", existingId: first?.body.id }],
    });
  });

  test("may have an external id that another workspace uses", async () => {
    const other = await stack.api.signIn();
    const body = { externalId: "shared-id", parts: text("Twice.") };

    expect((await stack.client.post("/posts", body)).status).toBe(201);
    expect((await other.post("/posts", body)).status).toBe(201);
  });

  test("is made once under one Idempotency-Key", async () => {
    const key = { "idempotency-key": uuidv7() };
    const body = { parts: text("Once under a key.") };

    const first = await stack.client.post("/posts", body, key);
    const second = await stack.client.post("/posts", body, key);
    const other = await stack.client.post("/posts", { parts: text("Something else.") }, key);

    expect(second.body).toEqual(first.body);
    expect(second.headers.get("etag")).toBe('"1"');
    expect(other).toMatchObject({ status: 409, body: { code: "idempotency.key_reused" } });
  });
});

describe("lists of posts", () => {
  test("can be narrowed and read page by page, newest first", async () => {
    const { actor, ...client } = await stack.api.signIn();
    const own = await aChannel(stack.context, actor);
    const make = (body: object) => client.post("/posts", { parts: text("Listed."), ...body });
    const first = await make({ labels: ["sleep"], campaign: "A" });
    const second = await make({ labels: ["sleep", "food"], channelIds: [own.id] });
    const third = await make({ campaign: "A", externalId: "x-3" });

    const ids = async (query: string) =>
      (await client.get(`/posts?${query}`)).body.items.map(({ id }) => id);
    expect(await ids("")).toEqual([third.body.id, second.body.id, first.body.id]);
    expect(await ids("label=sleep")).toEqual([second.body.id, first.body.id]);
    expect(await ids("campaign=A")).toEqual([third.body.id, first.body.id]);
    expect(await ids(`channelId=${own.id}`)).toEqual([second.body.id]);
    expect(await ids("externalId=x-3")).toEqual([third.body.id]);
    expect(await ids("state=scheduled")).toEqual([]);
    const page = await client.get("/posts?limit=2");
    expect(page.body.items).toHaveLength(2);
    expect(await ids(`limit=2&cursor=${page.body.nextCursor}`)).toEqual([first.body.id]);
  });
});

describe("removing", () => {
  test("takes the post away, cancels its delivery and frees its external id", async () => {
    const externalId = uuidv7();
    const post = await scheduled({ externalId });

    const answer = await stack.client.delete(`/posts/${post.id}`);

    expect(answer.status).toBe(204);
    expect((await stack.client.get(`/posts/${post.id}`)).status).toBe(404);
    expect((await stack.client.delete(`/posts/${post.id}`)).status).toBe(404);
    expect(await storedDelivery(deliveryOf(post))).toMatchObject({ state: "cancelled" });
    await created({ externalId });
  });

  test.each([
    ["sending", "post.publishing"],
    ["published", "post.already_published"],
  ] as const)("is refused when a delivery is %s", async (state, code) => {
    const post = await scheduled();
    const out = { state, publishedAt: state === "published" ? publishedAt : null };
    await putDelivery(stack.context, deliveryOf(post), out);

    expect(await stack.client.delete(`/posts/${post.id}`)).toMatchObject({
      status: 409,
      body: { code },
    });
    expect((await stack.client.get(`/posts/${post.id}`)).status).toBe(200);
  });

  test("is refused on an older version", async () => {
    const post = await created();

    const answer = await stack.client.delete(`/posts/${post.id}`, { "if-match": '"9"' });

    expect(answer).toMatchObject({ status: 412, body: { code: "post.changed" } });
  });
});

describe("cancelling", () => {
  const cancel = (postId: string) =>
    stack.client.post<CancelledPostView>(`/posts/${postId}/cancel`);

  test("ends every delivery that nothing has left of, and the post is a draft again", async () => {
    const { postId } = await planned({ channelIds: [posts.channel.id, posts.other.id] });

    const answer = await cancel(postId);

    expect(answer.status).toBe(200);
    expect(answer.body.state).toBe("draft");
    expect(answer.body.deliveries.map(({ state }) => state)).toEqual(["cancelled", "cancelled"]);
    for (const row of await stored(postId)) {
      expect(row).toMatchObject({ state: "cancelled", nextAt: null, version: 2 });
    }
  });

  test("is all or nothing: where one is on its way, the others stay", async () => {
    const { postId, deliveryIds } = await planned({
      channelIds: [posts.channel.id, posts.other.id],
    });
    await putDelivery(stack.context, deliveryIds[1] ?? "", { state: "sending" });
    const before = await stored(postId);

    const answer = await cancel(postId);

    expect(answer).toMatchObject({
      status: 409,
      body: { code: "post.publishing", errors: [{ deliveryId: deliveryIds[1], state: "sending" }] },
    });
    expect(await stored(postId)).toEqual(before);
  });

  test("leaves what is published, and the post stays planned", async () => {
    const { postId } = await planned({ channelIds: [posts.channel.id, posts.other.id] });
    const [first] = await stored(postId);
    await putDelivery(stack.context, first?.id ?? "", { state: "published", publishedAt });

    const answer = await cancel(postId);

    expect(answer.body.state).toBe("scheduled");
    const states = (await stored(postId)).map(({ state }) => state);
    expect(states.sort()).toEqual(["cancelled", "published"]);
  });

  test("is refused when everything is published", async () => {
    const { postId, deliveryIds } = await planned();
    await putDelivery(stack.context, deliveryIds[0] ?? "", { state: "published", publishedAt });

    expect(await cancel(postId)).toMatchObject({
      status: 409,
      body: { code: "post.already_published" },
    });
  });

  test("is refused for a post without a time", async () => {
    expect(await cancel(await draft())).toMatchObject({
      status: 409,
      body: { code: "post.not_scheduled" },
    });
  });

  test("lets the post be scheduled anew, as a new delivery", async () => {
    const { postId, deliveryIds } = await planned();
    await cancel(postId);

    const answer = await schedule(postId);

    expect(answer.body.deliveries).toHaveLength(1);
    expect(answer.body.deliveries[0]?.id).not.toBe(deliveryIds[0]);
    const { body } = await stack.client.get<PostView>(`/posts/${postId}`);
    expect(body.deliveries.map(({ id }) => id)).toEqual(answer.body.deliveries.map(({ id }) => id));
  });
});

test("cancelling, moving and editing at the same moment end in one of the honest states", async () => {
  const { postId } = await planned();

  const answers = await Promise.all([
    stack.client.post(`/posts/${postId}/cancel`),
    schedule(postId, { local: "2027-02-05T09:00", zone: "UTC" }),
    stack.client.patch(`/posts/${postId}`, { parts: [{ text: "Sleep seven hours." }] }),
    schedule(postId, { local: "2027-02-06T09:00", zone: "UTC" }),
  ]);

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const { body: post } = await stack.client.get<PostView>(`/posts/${postId}`);
  const living = (await stored(postId)).filter(({ state }) => state !== "cancelled");
  expect(living.length).toBe(post.state === "draft" ? 0 : 1);
});

describe("somebody of another workspace", () => {
  test("cannot tell that the post exists", async () => {
    const post = await scheduled();
    const other = await stack.api.signIn();
    const path = `/posts/${post.id}`;

    const answers = [
      await other.get(path),
      await other.patch(path, { labels: [] }),
      await other.delete(path),
      await other.post(`${path}/schedule`, { at: tomorrow }),
      await other.post(`${path}/cancel`),
    ];

    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 404, body: { code: "post.missing" } });
    }
    expect((await other.get("/posts")).body.items).toEqual([]);
    expect((await stack.client.get<PostView>(path)).body.state).toBe("scheduled");
  });
});
