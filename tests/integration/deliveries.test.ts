import { describe, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { v7 as uuidv7 } from "uuid";
import { apiStack } from "../support/api-stack.ts";
import { aChannel, aDelivery, anOpenAttempt, aReceipt } from "../support/builders.ts";
import {
  dueAt,
  errorOf,
  notPublished,
  now,
  storedDeliveries,
} from "../support/stored-deliveries.ts";

const stack = apiStack({ now, each: "test" });
const deliveries = storedDeliveries(stack);
const { stored, read } = deliveries;

describe("reading a delivery", () => {
  test("shows its attempts, its receipt and no error when it is published", async () => {
    const { id, postId } = await stored({ state: "published", publishedAt: dueAt }, 2);
    await anOpenAttempt(stack.context, id);
    await aReceipt(stack.context, id, { part: 0 });
    await aReceipt(stack.context, id, { part: 1 });

    expect(await read(id)).toMatchObject({
      id,
      postId,
      channelId: deliveries.channel.id,
      platform: "sandbox",
      state: "published",
      dueAt: dueAt.toISOString(),
      local: null,
      zone: null,
      attempts: [{ part: 0, armedAt: now.toISOString(), outcome: null, error: null }],
      receipt: {
        remoteId: "remote-0",
        permalink: "https://social.example/posts/remote-0",
        publishedAt: "2027-02-05T15:00:03.000Z",
        parts: [
          { part: 0, knownBy: "answered" },
          { part: 1, remoteId: "remote-1" },
        ],
      },
      error: null,
    });
  });

  test("explains a failure: what it means, the platform's words, and the next step", async () => {
    const { id } = await stored({ state: "failed", error: errorOf("reauthorize") });

    expect((await read(id)).error).toEqual({
      kind: "reauthorize",
      title: "The channel's sign-in has ended",
      detail: expect.stringContaining("Nothing was published."),
      platformMessage: "Says no.",
      nextStep: expect.stringContaining("Reconnect the channel"),
    });
  });

  test.each(["missed", "expired", "held"] as const)("explains why it is %s", async (state) => {
    const { id } = await stored({ state });

    expect((await read(id)).error).toMatchObject({ kind: state, platformMessage: null });
  });

  test("of another workspace, or of none, is not found", async () => {
    const { id } = await stored({ state: "failed" });
    const other = await stack.api.signIn();

    for (const answer of [
      await other.get(`/deliveries/${id}`),
      await other.post(`/deliveries/${id}/retry`),
      await other.post(`/deliveries/${id}/resolve`, notPublished("drop")),
      await other.get(`/deliveries/${id}/engagement`),
      await stack.client.get(`/deliveries/${uuidv7()}`),
    ]) {
      expect(answer).toMatchObject({ status: 404, body: { code: "delivery.missing" } });
    }
    expect((await other.get("/deliveries")).body.items).toEqual([]);
    expect((await read(id)).state).toBe("failed");
  });
});

describe("lists of deliveries", () => {
  test("can be narrowed by state, channel, post, kind and time", async () => {
    const elsewhere = await aChannel(stack.context, stack.client.actor);
    const failed = await stored({ state: "failed", error: errorOf("billing") });
    const missed = await stored({ state: "missed", dueAt: new Date("2027-02-06T15:00:00Z") });
    const other = await aDelivery(stack.context, stack.client.actor, elsewhere, {
      state: "published",
      dueAt: new Date("2027-02-07T15:00:00Z"),
    });

    const ids = async (query: string) =>
      (await stack.client.get(`/deliveries?${query}`)).body.items.map(({ id }) => id);
    expect(await ids("")).toEqual([failed.id, missed.id, other.id]);
    expect(await ids("state=failed,missed")).toEqual([failed.id, missed.id]);
    expect(await ids(`channelId=${elsewhere.id}`)).toEqual([other.id]);
    expect(await ids(`postId=${missed.postId}`)).toEqual([missed.id]);
    expect(await ids("kind=billing")).toEqual([failed.id]);
    expect(await ids("from=2027-02-06T15:00:00Z&to=2027-02-07T15:00:00Z")).toEqual([missed.id]);
    expect(await ids("from=2027-02-07T09:00:00-06:00")).toEqual([other.id]);
    const bad = await stack.client.get("/deliveries?state=lost");
    expect(bad).toMatchObject({ status: 400, body: { code: "request.invalid" } });
  });

  test("are read page by page without losing or repeating any, also at the same instant", async () => {
    const made: string[] = [];
    for (let index = 0; index < 7; index += 1) {
      made.push((await stored({ state: "scheduled" })).id);
    }
    // Finer than JavaScript's clock: a cursor in milliseconds would skip or repeat these.
    await sql`update deliveries set due_at = '2027-02-05T15:00:00.123456Z'
               where channel_id = ${deliveries.channel.id}`.execute(stack.db);

    const seen: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const { body } = await stack.client.get(`/deliveries?limit=3${query}`);
      seen.push(...body.items.map(({ id }) => id));
      cursor = body.nextCursor;
    }

    expect(seen).toEqual(made.sort());
    expect(await stack.client.get("/deliveries?cursor=bm9wZQ")).toMatchObject({
      status: 400,
      body: { code: "request.bad_cursor" },
    });
  });
});

describe("cancelling many", () => {
  test("ends what waits for a person, and leaves everything else", async () => {
    const held = await stored({ state: "held" });
    const missed = await stored({ state: "missed" });
    const published = await stored({ state: "published" });
    const unknown = await stored({ state: "unknown" });
    const ids = [held.id, missed.id, published.id, unknown.id];

    const answer = await stack.client.post("/deliveries/cancel", { ids });

    expect(answer).toMatchObject({ status: 200, body: { cancelled: 2, skipped: 2 } });
    const states = await Promise.all(ids.map(async (id) => (await read(id)).state));
    expect(states).toEqual(["cancelled", "cancelled", "published", "unknown"]);
    const post = await stack.client.get<{ state: string }>(`/posts/${held.postId}`);
    expect(post.body.state).toBe("draft");
  });

  test("by state touches no other workspace, and may be repeated", async () => {
    const stranger = await stack.api.signIn();
    const held = await stored({ state: "held" });

    const theirs = await stranger.post("/deliveries/cancel", { ids: [held.id] });
    const first = await stack.client.post("/deliveries/cancel", { state: "held" });
    const second = await stack.client.post("/deliveries/cancel", { state: ["held", "missed"] });

    expect(theirs.body).toMatchObject({ cancelled: 0, skippedIds: [held.id] });
    expect(first.body).toMatchObject({ cancelled: 1, ids: [held.id], hasMore: false });
    expect(second.body).toMatchObject({ cancelled: 0 });
  });

  test.each([{}, { channelId: uuidv7() }, { state: "scheduled" }, { state: [] }])(
    "is refused for %j, which does not say what is meant",
    async (body) => {
      const held = await stored({ state: "held" });

      expect((await stack.client.post("/deliveries/cancel", body)).status).toBe(400);
      expect((await read(held.id)).state).toBe("held");
    },
  );

  test("against a retry at the same moment ends in one of the two", async () => {
    const { id } = await stored({ state: "held" });

    const [cancelled, retried] = await Promise.all([
      stack.client.post<{ cancelled: number }>("/deliveries/cancel", { ids: [id] }),
      stack.client.post(`/deliveries/${id}/retry`),
    ]);

    const isCancelled = cancelled.body.cancelled === 1;
    expect(retried.status).toBe(isCancelled ? 409 : 200);
    expect((await read(id)).state).toBe(isCancelled ? "cancelled" : "scheduled");
  });
});
