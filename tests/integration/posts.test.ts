import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import type { PostView } from "../../shared/contract/post.ts";
import { startApi, type ApiClient, type TestApi } from "../support/api-client.ts";
import { aChannel, aMedium, putDelivery } from "../support/builders.ts";
import { createTestContext, type TestContext } from "../support/context.ts";

let setup: TestContext;
let api: TestApi;
let author: ApiClient;
let channel: { id: string; name: string };

beforeAll(async () => {
  setup = await createTestContext();
  await setup.setClock(new Date("2027-02-01T12:00:00Z"));
  api = await startApi(setup.context);
  author = await api.signIn({ scope: "author" });
  channel = await aChannel(setup.context, author.actor, { name: "Heart Center" });
});

afterAll(async () => {
  await api.close();
  await setup.close();
});

const text = (words: string) => [{ text: words }];
const tomorrow = { local: "2027-02-02T09:00", zone: "America/Chicago" };

async function created(body: object = {}): Promise<PostView> {
  const given = { parts: text("Walk for ten minutes after a meal."), ...body };
  const answer = await author.post<PostView>("/posts", given);
  expect(answer.status).toBe(201);
  return answer.body;
}

async function scheduled(body: object = {}, at: object = tomorrow): Promise<PostView> {
  const post = await created({ channelIds: [channel.id], ...body });
  const answer = await author.post(`/posts/${post.id}/schedule`, { at });
  expect(answer.status).toBe(200);
  return (await author.get<PostView>(`/posts/${post.id}`)).body;
}

function deliveryOf(post: PostView): string {
  const [delivery] = post.deliveries;
  if (!delivery) throw new Error("The post has no delivery.");
  return delivery.id;
}

function storedDelivery(id: string) {
  return setup.db
    .selectFrom("deliveries")
    .selectAll()
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
}

const statusesOf = (answers: readonly { status: number }[]) =>
  answers.map(({ status }) => status).toSorted((a, b) => a - b);

describe("a new post", () => {
  test("is a draft with a version, a hash and an ETag, and reads back the same", async () => {
    const medium = await aMedium(setup.context, author.actor);
    const answer = await author.post<PostView>("/posts", {
      externalId: "ahm-1",
      parts: [{ text: "  Know your numbers.\r\nAsk us.  ", mediaIds: [medium.id] }],
      channelIds: [channel.id],
      variants: { [channel.id]: { parts: text("Know your numbers!") } },
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
    const again = await author.get<PostView>(`/posts/${answer.body.id}`);
    expect(again.body).toEqual(answer.body);
    expect(again.headers.get("etag")).toBe('"1"');
  });

  test("needs no more than one part, and no channel", async () => {
    const post = await created();

    expect(post).toMatchObject({ channelIds: [], labels: [], link: null, latestAfterMinutes: 15 });
  });

  test("is told of", async () => {
    const post = await created();

    const events = await setup.db
      .selectFrom("events")
      .select(["type", "workspaceId"])
      .where("subjectId", "=", post.id)
      .execute();
    expect(events).toEqual([{ type: "post.created", workspaceId: author.actor.workspaceId }]);
  });

  test("keeps an external id for itself, also against a twin at the same moment", async () => {
    const body = { externalId: uuidv7(), parts: text("Once.") };

    const answers = await Promise.all([author.post("/posts", body), author.post("/posts", body)]);

    expect(statusesOf(answers)).toEqual([201, 409]);
    const first = answers.find(({ status }) => status === 201);
    const second = answers.find(({ status }) => status === 409);
    expect(second?.body).toMatchObject({
      code: "post.external_id_taken",
      errors: [{ path: "externalId", existingId: first?.body.id }],
    });
  });

  test("may have an external id that another workspace uses", async () => {
    const other = await api.signIn();
    const body = { externalId: "shared-id", parts: text("Twice.") };

    expect((await author.post("/posts", body)).status).toBe(201);
    expect((await other.post("/posts", body)).status).toBe(201);
  });

  test("is made once under one Idempotency-Key", async () => {
    const key = { "idempotency-key": uuidv7() };
    const body = { parts: text("Once under a key.") };

    const first = await author.post("/posts", body, key);
    const second = await author.post("/posts", body, key);
    const other = await author.post("/posts", { parts: text("Something else.") }, key);

    expect(second.body).toEqual(first.body);
    expect(second.headers.get("etag")).toBe('"1"');
    expect(other).toMatchObject({ status: 409, body: { code: "idempotency.key_reused" } });
  });
});

describe("lists of posts", () => {
  test("can be narrowed and read page by page, newest first", async () => {
    const { actor, ...client } = await api.signIn();
    const own = await aChannel(setup.context, actor);
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

describe("editing", () => {
  test("changes what is named, leaves the rest, and counts the version up", async () => {
    const post = await created({ labels: ["sleep"], campaign: "A" });

    const answer = await author.patch<PostView>(`/posts/${post.id}`, { labels: ["food"] });

    expect(answer.status).toBe(200);
    expect(answer.headers.get("etag")).toBe('"2"');
    expect(answer.body).toMatchObject({ version: 2, labels: ["food"], campaign: "A" });
    expect(answer.body.contentHash).toBe(post.contentHash);
  });

  test("is refused on an older version than the one that was read", async () => {
    const post = await created();
    const stale = { "if-match": '"1"' };
    const change = (words: string) => ({ parts: text(words) });
    await author.patch(`/posts/${post.id}`, change("Second."), stale);

    const answer = await author.patch(`/posts/${post.id}`, change("Third."), stale);

    expect(answer).toMatchObject({ status: 412, body: { code: "post.changed" } });
    const { body } = await author.get<PostView>(`/posts/${post.id}`);
    expect(body.parts[0]?.text).toBe("Second.");
  });

  test("gives a planned delivery the new words and drops what was prepared", async () => {
    const post = await scheduled();
    const id = deliveryOf(post);
    await setup.db
      .updateTable("deliveries")
      .set({ prepared: JSON.stringify({ 0: { mediaId: "7" } }) })
      .where("id", "=", id)
      .execute();
    const before = await storedDelivery(id);

    await author.patch(`/posts/${post.id}`, { parts: text("Walk for a quarter of an hour.") });

    const after = await storedDelivery(id);
    expect(after).toMatchObject({ state: "scheduled", prepared: {}, version: before.version + 1 });
    expect(after.contentHash).not.toBe(before.contentHash);
    expect(after.dueAt).toEqual(before.dueAt);
  });

  test("of a label alone leaves the delivery as it is", async () => {
    const post = await scheduled();
    const before = await storedDelivery(deliveryOf(post));

    await author.patch(`/posts/${post.id}`, { labels: ["walking"], campaign: "Move more" });

    expect(await storedDelivery(deliveryOf(post))).toEqual(before);
  });

  test("of how late it may be moves the latest time", async () => {
    const post = await scheduled();

    await author.patch(`/posts/${post.id}`, { latestAfterMinutes: 60 });

    const { dueAt, latestAt } = await storedDelivery(deliveryOf(post));
    expect(latestAt.getTime() - dueAt.getTime()).toBe(60 * 60_000);
  });

  test.each(["preparing", "sending", "unknown"] as const)(
    "is refused while the delivery is %s",
    async (state) => {
      const post = await scheduled();
      await putDelivery(setup.context, deliveryOf(post), { state });

      const answer = await author.patch(`/posts/${post.id}`, { parts: text("Other words.") });

      expect(answer).toMatchObject({ status: 409, body: { code: "post.publishing" } });
      expect((await author.get(`/posts/${post.id}`)).body.version).toBe(1);
    },
  );

  test.each(["published", "partial"] as const)(
    "is refused when the delivery is %s, but its labels may still change",
    async (state) => {
      const post = await scheduled();
      const publishedAt = new Date("2027-02-02T15:00:02Z");
      await putDelivery(setup.context, deliveryOf(post), { state, publishedAt });

      const words = await author.patch(`/posts/${post.id}`, { parts: text("Other words.") });
      const labels = await author.patch(`/posts/${post.id}`, { labels: ["done"] });

      expect(words).toMatchObject({ status: 409, body: { code: "post.already_published" } });
      expect(labels.status).toBe(200);
    },
  );

  test("cancels the delivery of a channel that is taken away, and the variant goes with it", async () => {
    const other = await aChannel(setup.context, author.actor);
    const post = await scheduled({
      channelIds: [channel.id, other.id],
      variants: { [other.id]: { parts: text("Walk!") } },
    });
    const gone = post.deliveries.find(({ channelId }) => channelId === other.id);

    const answer = await author.patch<PostView>(`/posts/${post.id}`, { channelIds: [channel.id] });

    expect(answer.body).toMatchObject({ variants: {}, state: "scheduled" });
    expect(answer.body.deliveries.map(({ channelId }) => channelId)).toEqual([channel.id]);
    expect(await storedDelivery(gone?.id ?? "")).toMatchObject({
      state: "cancelled",
      nextAt: null,
    });
  });

  test("that takes the last channel away is refused: taking a time back is another request", async () => {
    const post = await scheduled();

    const answer = await author.patch(`/posts/${post.id}`, { channelIds: [] });

    expect(answer).toMatchObject({ status: 400, body: { code: "post.no_channels" } });
  });

  test("plans a channel that joins at the time of the others, and wakes it", async () => {
    const other = await aChannel(setup.context, author.actor);
    const post = await scheduled();

    const channelIds = [channel.id, other.id];
    const answer = await author.patch<PostView>(`/posts/${post.id}`, { channelIds });

    const joined = answer.body.deliveries.find(({ channelId }) => channelId === other.id);
    expect(joined).toMatchObject({ state: "scheduled", dueAt: "2027-02-02T15:00:00.000Z" });
    expect(await storedDelivery(joined?.id ?? "")).toMatchObject({
      localTime: tomorrow.local,
      zone: tomorrow.zone,
    });
    const woken = setup.db.selectFrom("outbox").selectAll().where("subjectId", "=", other.id);
    expect(await woken.execute()).toMatchObject([
      { job: "publish-channel", lane: "sandbox", runAt: new Date("2027-02-02T15:00:00Z") },
    ]);
  });

  test("refuses a channel that joins after the time has passed", async () => {
    const other = await aChannel(setup.context, author.actor);
    const post = await scheduled();
    const publishedAt = new Date("2027-02-02T15:00:02Z");
    await putDelivery(setup.context, deliveryOf(post), { state: "published", publishedAt });

    const channelIds = [channel.id, other.id];
    const answer = await author.patch(`/posts/${post.id}`, { channelIds });

    expect(answer).toMatchObject({ status: 409, body: { code: "post.time_in_past" } });
    expect((await author.get<PostView>(`/posts/${post.id}`)).body.channelIds).toEqual([channel.id]);
  });

  test("of a planned post is held against what its channels take", async () => {
    const post = await scheduled();

    const answer = await author.patch(`/posts/${post.id}`, { parts: text("x".repeat(501)) });

    expect(answer).toMatchObject({
      status: 400,
      body: {
        code: "post.does_not_fit",
        errors: [{ path: "parts.0.text", code: "text.too_long" }],
      },
    });
    expect((await author.get(`/posts/${post.id}`)).body.version).toBe(1);
  });

  test("of two people at once loses nobody's words unseen", async () => {
    const post = await scheduled();
    const match = { "if-match": '"1"' };
    const edit = (words: string) =>
      author.patch(`/posts/${post.id}`, { parts: text(words) }, match);

    const answers = await Promise.all([edit("From Ann."), edit("From Bob.")]);

    expect(statusesOf(answers)).toEqual([200, 412]);
  });
});

describe("removing", () => {
  test("takes the post away, cancels its delivery and frees its external id", async () => {
    const externalId = uuidv7();
    const post = await scheduled({ externalId });

    const answer = await author.delete(`/posts/${post.id}`);

    expect(answer.status).toBe(204);
    expect((await author.get(`/posts/${post.id}`)).status).toBe(404);
    expect((await author.delete(`/posts/${post.id}`)).status).toBe(404);
    expect(await storedDelivery(deliveryOf(post))).toMatchObject({ state: "cancelled" });
    await created({ externalId });
  });

  test.each([
    ["sending", "post.publishing"],
    ["published", "post.already_published"],
  ] as const)("is refused when a delivery is %s", async (state, code) => {
    const post = await scheduled();
    const publishedAt = state === "published" ? new Date("2027-02-02T15:00:02Z") : null;
    await putDelivery(setup.context, deliveryOf(post), { state, publishedAt });

    expect(await author.delete(`/posts/${post.id}`)).toMatchObject({ status: 409, body: { code } });
    expect((await author.get(`/posts/${post.id}`)).status).toBe(200);
  });

  test("is refused on an older version", async () => {
    const post = await created();

    const answer = await author.delete(`/posts/${post.id}`, { "if-match": '"9"' });

    expect(answer).toMatchObject({ status: 412, body: { code: "post.changed" } });
  });
});

describe("somebody of another workspace", () => {
  test("cannot tell that the post exists", async () => {
    const post = await scheduled();
    const other = await api.signIn();
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
    expect((await author.get<PostView>(path)).body.state).toBe("scheduled");
  });
});
