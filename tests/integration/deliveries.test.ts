import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { v7 as uuidv7 } from "uuid";
import type { DeliveryView } from "../../shared/contract/delivery.ts";
import { DELIVERY_STATES, type DeliveryState } from "../../shared/domain/delivery.ts";
import type { FailureKind } from "../../shared/domain/failure.ts";
import { startApi, type ApiClient, type TestApi } from "../support/api-client.ts";
import {
  aChannel,
  aDelivery,
  anOpenAttempt,
  aReceipt,
  type StoredDelivery,
} from "../support/builders.ts";
import { createTestContext, type TestContext } from "../support/context.ts";

let setup: TestContext;
let api: TestApi;
let admin: ApiClient;
let channel: { id: string; platform: string };

const now = new Date("2027-02-05T15:30:00Z");
const dueAt = new Date("2027-02-05T15:00:00Z");

beforeAll(async () => {
  setup = await createTestContext();
  await setup.setClock(now, { frozen: true });
  api = await startApi(setup.context);
});

beforeEach(async () => {
  admin = await api.signIn();
  channel = await aChannel(setup.context, admin.actor);
});

afterAll(async () => {
  await api.close();
  await setup.close();
});

const errorOf = (kind: FailureKind) => ({ kind, platformMessage: "Says no.", platformCode: "403" });
const thread = [
  { text: "One.", mediaIds: [] },
  { text: "Two.", mediaIds: [] },
];

function stored(delivery: StoredDelivery, parts = thread.slice(0, 1)) {
  return aDelivery(setup.context, admin.actor, channel, { dueAt, ...delivery, content: { parts } });
}

async function read(id: string): Promise<DeliveryView> {
  return (await admin.get<DeliveryView>(`/deliveries/${id}`)).body;
}

function wakesOf(channelId: string) {
  return setup.db.selectFrom("outbox").selectAll().where("subjectId", "=", channelId).execute();
}

// oxlint-disable-next-line unicorn/no-thenable -- a word of the public contract, and never a function
const notPublished = (then: "send_again" | "drop") => ({ outcome: "not_published", then });

const statusesOf = (answers: readonly { status: number }[]) =>
  answers.map(({ status }) => status).toSorted((a, b) => a - b);

describe("reading a delivery", () => {
  test("shows its attempts, its receipt and no error when it is published", async () => {
    const { id, postId } = await stored({ state: "published", publishedAt: dueAt }, thread);
    await anOpenAttempt(setup.context, id);
    await aReceipt(setup.context, id, { part: 0 });
    await aReceipt(setup.context, id, { part: 1 });

    expect(await read(id)).toMatchObject({
      id,
      postId,
      channelId: channel.id,
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
    const other = await api.signIn();

    for (const answer of [
      await other.get(`/deliveries/${id}`),
      await other.post(`/deliveries/${id}/retry`),
      await other.post(`/deliveries/${id}/resolve`, notPublished("drop")),
      await other.get(`/deliveries/${id}/engagement`),
      await admin.get(`/deliveries/${uuidv7()}`),
    ]) {
      expect(answer).toMatchObject({ status: 404, body: { code: "delivery.missing" } });
    }
    expect((await other.get("/deliveries")).body.items).toEqual([]);
    expect((await read(id)).state).toBe("failed");
  });
});

describe("lists of deliveries", () => {
  test("can be narrowed by state, channel, post, kind and time", async () => {
    const elsewhere = await aChannel(setup.context, admin.actor);
    const failed = await stored({ state: "failed", error: errorOf("billing") });
    const missed = await stored({ state: "missed", dueAt: new Date("2027-02-06T15:00:00Z") });
    const other = await aDelivery(setup.context, admin.actor, elsewhere, {
      state: "published",
      dueAt: new Date("2027-02-07T15:00:00Z"),
    });

    const ids = async (query: string) =>
      (await admin.get(`/deliveries?${query}`)).body.items.map(({ id }) => id);
    expect(await ids("")).toEqual([failed.id, missed.id, other.id]);
    expect(await ids("state=failed,missed")).toEqual([failed.id, missed.id]);
    expect(await ids(`channelId=${elsewhere.id}`)).toEqual([other.id]);
    expect(await ids(`postId=${missed.postId}`)).toEqual([missed.id]);
    expect(await ids("kind=billing")).toEqual([failed.id]);
    expect(await ids("from=2027-02-06T15:00:00Z&to=2027-02-07T15:00:00Z")).toEqual([missed.id]);
    expect(await ids("from=2027-02-07T09:00:00-06:00")).toEqual([other.id]);
    const bad = await admin.get("/deliveries?state=lost");
    expect(bad).toMatchObject({ status: 400, body: { code: "request.invalid" } });
  });

  test("are read page by page without losing or repeating any, also at the same instant", async () => {
    const made: string[] = [];
    for (let index = 0; index < 7; index += 1) {
      made.push((await stored({ state: "scheduled" })).id);
    }
    // Finer than JavaScript's clock: a cursor in milliseconds would skip or repeat these.
    await sql`update deliveries set due_at = '2027-02-05T15:00:00.123456Z'
               where channel_id = ${channel.id}`.execute(setup.db);

    const seen: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const { body } = await admin.get(`/deliveries?limit=3${query}`);
      seen.push(...body.items.map(({ id }) => id));
      cursor = body.nextCursor;
    }

    expect(seen).toEqual(made.sort());
    expect(await admin.get("/deliveries?cursor=bm9wZQ")).toMatchObject({
      status: 400,
      body: { code: "request.bad_cursor" },
    });
  });
});

describe("retrying one", () => {
  test.each(["failed", "missed", "expired", "held"] as const)(
    "gives a %s delivery the present time, a new latest time, and wakes its channel",
    async (state) => {
      const { id } = await stored({ state, error: errorOf("unavailable") });

      const answer = await admin.post<DeliveryView>(`/deliveries/${id}/retry`);

      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({
        state: "scheduled",
        version: 2,
        error: null,
        dueAt: now.toISOString(),
        nextAt: now.toISOString(),
        latestAt: "2027-02-05T15:45:00.000Z",
      });
      expect(await wakesOf(channel.id)).toMatchObject([{ job: "publish-channel", runAt: now }]);
    },
  );

  test("takes a time and a patience of its own", async () => {
    const { id } = await stored({ state: "failed" });
    const at = { local: "2027-02-06T09:00", zone: "America/Chicago" };

    const answer = await admin.post(`/deliveries/${id}/retry`, { at, latestAfterMinutes: 120 });

    expect(answer.body).toMatchObject({
      dueAt: "2027-02-06T15:00:00.000Z",
      latestAt: "2027-02-06T17:00:00.000Z",
      ...at,
    });
  });

  test("of a thread that is partly out goes on with it and keeps it apart from new ones", async () => {
    const { id } = await stored({ state: "partial", error: errorOf("unavailable") }, thread);
    await aReceipt(setup.context, id);

    const answer = await admin.post(`/deliveries/${id}/retry`);

    expect(answer.body).toMatchObject({
      state: "partial",
      version: 2,
      error: null,
      nextAt: now.toISOString(),
    });
    expect(await wakesOf(channel.id)).toHaveLength(1);
  });

  const others = DELIVERY_STATES.filter(
    (state) => !["failed", "missed", "expired", "held", "partial"].includes(state),
  );
  test.each(others)("is refused when the delivery is %s", async (state) => {
    const { id } = await stored({ state });

    const answer = await admin.post(`/deliveries/${id}/retry`);

    expect(answer).toMatchObject({
      status: 409,
      body: { code: "delivery.bad_state", errors: [{ path: "state", state }] },
    });
    expect((await read(id)).version).toBe(1);
  });

  test("is refused when the channel was removed", async () => {
    const { id } = await stored({ state: "failed" });
    await setup.db
      .updateTable("channels")
      .set({ removedAt: now })
      .where("id", "=", channel.id)
      .execute();

    expect(await admin.post(`/deliveries/${id}/retry`)).toMatchObject({
      status: 409,
      body: { code: "delivery.channel_removed" },
    });
  });

  test("is refused for a time that has passed", async () => {
    const { id } = await stored({ state: "failed" });

    const answer = await admin.post(`/deliveries/${id}/retry`, {
      at: { utc: "2027-02-05T15:00:00Z" },
    });

    expect(answer).toMatchObject({ status: 400, body: { code: "post.time_in_past" } });
  });

  test("at the same moment by two people happens once", async () => {
    const { id } = await stored({ state: "failed" });

    const again = () => admin.post(`/deliveries/${id}/retry`);
    const answers = await Promise.all([again(), again()]);

    expect(statusesOf(answers)).toEqual([200, 409]);
    expect((await read(id)).version).toBe(2);
  });

  test("is not for authors", async () => {
    const { workspaceId } = admin.actor;
    const author = await api.signIn({ scope: "author", workspaceId });
    const { id } = await stored({ state: "failed" });

    for (const answer of [
      await author.post(`/deliveries/${id}/retry`),
      await author.post("/deliveries/retry", {}),
      await author.post(`/deliveries/${id}/resolve`, notPublished("drop")),
    ]) {
      expect(answer).toMatchObject({ status: 403, body: { code: "token.forbidden" } });
    }
    expect((await author.get(`/deliveries/${id}`)).status).toBe(200);
  });
});

describe("cancelling many", () => {
  test("ends what waits for a person, and leaves everything else", async () => {
    const held = await stored({ state: "held" });
    const missed = await stored({ state: "missed" });
    const published = await stored({ state: "published" });
    const unknown = await stored({ state: "unknown" });
    const ids = [held.id, missed.id, published.id, unknown.id];

    const answer = await admin.post("/deliveries/cancel", { ids });

    expect(answer).toMatchObject({ status: 200, body: { cancelled: 2, skipped: 2 } });
    const states = await Promise.all(ids.map(async (id) => (await read(id)).state));
    expect(states).toEqual(["cancelled", "cancelled", "published", "unknown"]);
    const post = await admin.get<{ state: string }>(`/posts/${held.postId}`);
    expect(post.body.state).toBe("draft");
  });

  test("by state touches no other workspace, and may be repeated", async () => {
    const stranger = await api.signIn();
    const held = await stored({ state: "held" });

    const theirs = await stranger.post("/deliveries/cancel", { ids: [held.id] });
    const first = await admin.post("/deliveries/cancel", { state: "held" });
    const second = await admin.post("/deliveries/cancel", { state: ["held", "missed"] });

    expect(theirs.body).toMatchObject({ cancelled: 0, skippedIds: [held.id] });
    expect(first.body).toMatchObject({ cancelled: 1, ids: [held.id], hasMore: false });
    expect(second.body).toMatchObject({ cancelled: 0 });
  });

  test.each([{}, { channelId: uuidv7() }, { state: "scheduled" }, { state: [] }])(
    "is refused for %j, which does not say what is meant",
    async (body) => {
      const held = await stored({ state: "held" });

      expect((await admin.post("/deliveries/cancel", body)).status).toBe(400);
      expect((await read(held.id)).state).toBe("held");
    },
  );

  test("against a retry at the same moment ends in one of the two", async () => {
    const { id } = await stored({ state: "held" });

    const [cancelled, retried] = await Promise.all([
      admin.post<{ cancelled: number }>("/deliveries/cancel", { ids: [id] }),
      admin.post(`/deliveries/${id}/retry`),
    ]);

    const isCancelled = cancelled.body.cancelled === 1;
    expect(retried.status).toBe(isCancelled ? 409 : 200);
    expect((await read(id)).state).toBe(isCancelled ? "cancelled" : "scheduled");
  });
});

describe("retrying many", () => {
  interface Retried {
    retried: number;
    ids: string[];
    skippedIds: string[];
    hasMore: boolean;
  }
  const retry = async (body: object) => {
    const answer = await admin.post<Retried>("/deliveries/retry", body);
    expect(answer.status).toBe(200);
    return { ...answer.body, ids: answer.body.ids.sort() };
  };

  test("takes those that failed, and only those, when nothing else is said", async () => {
    const failed = await stored({ state: "failed", error: errorOf("unavailable") });
    const missed = await stored({ state: "missed" });
    const published = await stored({ state: "published" });

    const answer = await retry({});

    expect(answer).toMatchObject({ retried: 1, ids: [failed.id], hasMore: false });
    expect((await read(missed.id)).state).toBe("missed");
    expect((await read(published.id)).state).toBe("published");
  });

  test("can be narrowed by state, channel, kind and time", async () => {
    const elsewhere = await aChannel(setup.context, admin.actor);
    const billing = await stored({ state: "failed", error: errorOf("billing") });
    const missed = await stored({ state: "missed" });
    const later = new Date("2027-02-06T15:00:00Z");
    const other = await aDelivery(setup.context, admin.actor, elsewhere, {
      state: "failed",
      dueAt: later,
    });

    expect((await retry({ kind: "billing" })).ids).toEqual([billing.id]);
    expect((await retry({ state: "missed", channelId: elsewhere.id })).ids).toEqual([]);
    expect((await retry({ state: ["missed"] })).ids).toEqual([missed.id]);
    expect((await retry({ to: "2027-02-06T00:00:00Z" })).ids).toEqual([]);
    expect((await retry({ from: "2027-02-06T00:00:00Z" })).ids).toEqual([other.id]);
  });

  test("spreads those of a channel by a gap, in the order of their former times", async () => {
    const elsewhere = await aChannel(setup.context, admin.actor);
    const at = (minute: number) => new Date(dueAt.getTime() + minute * 60_000);
    const second = await stored({ state: "held", dueAt: at(2) });
    const first = await stored({ state: "held", dueAt: at(1) });
    const third = await stored({ state: "held", dueAt: at(3) });
    const other = await aDelivery(setup.context, admin.actor, elsewhere, { state: "held", dueAt });

    await retry({
      state: "held",
      at: { local: "2027-03-14T01:50", zone: "America/Chicago" },
      gapMinutes: 10,
    });

    const plan = async ({ id }: { id: string }) => {
      const delivery = await read(id);
      return [delivery.dueAt, delivery.local, delivery.latestAt];
    };
    const planned = [
      ["2027-03-14T07:50:00.000Z", "2027-03-14T01:50", "2027-03-14T08:05:00.000Z"],
      // The clocks skip an hour that night.
      ["2027-03-14T08:00:00.000Z", "2027-03-14T03:00", "2027-03-14T08:15:00.000Z"],
      ["2027-03-14T08:10:00.000Z", "2027-03-14T03:10", "2027-03-14T08:25:00.000Z"],
    ];
    expect(await Promise.all([first, second, third].map(plan))).toEqual(planned);
    expect(await plan(other)).toEqual(planned[0]);
  });

  test("by id says which were passed over", async () => {
    const failed = await stored({ state: "failed" });
    const published = await stored({ state: "published" });
    const unknown = uuidv7();

    const answer = await retry({ ids: [failed.id, published.id, unknown] });

    expect(answer.ids).toEqual([failed.id]);
    expect(answer.skippedIds.sort()).toEqual([published.id, unknown].sort());
  });

  test("stops at a thousand and says that there are more", async () => {
    const { postId } = await stored({ state: "cancelled" });
    const rows = Array.from({ length: 1_002 }, () => uuidv7());
    // A delivery needs a post of its own.
    await sql`
      insert into posts (id, workspace_id, state, parts, latest_after_minutes, content_hash, created_by)
      select n, p.workspace_id, p.state, p.parts, 15, p.content_hash, p.created_by
        from posts p cross join unnest(${rows}::uuid[]) n where p.id = ${postId}`.execute(setup.db);
    await setup.db
      .insertInto("deliveries")
      .values(
        rows.map((id) => ({
          id,
          workspaceId: admin.actor.workspaceId,
          postId: id,
          channelId: channel.id,
          platform: "sandbox",
          state: "failed" as const,
          contentHash: "0".repeat(64),
          dueAt,
          latestAt: dueAt,
        })),
      )
      .execute();

    const first = await retry({});
    const second = await retry({});

    expect(first).toMatchObject({ retried: 1_000, hasMore: true });
    expect(second).toMatchObject({ retried: 2, hasMore: false });
    expect([...first.ids, ...second.ids].sort()).toEqual(rows.sort());
  });
});

describe("settling a delivery of unknown outcome", () => {
  const permalink = "https://social.example/@heart/112233";
  const resolve = (id: string, body: object) =>
    admin.post<DeliveryView>(`/deliveries/${id}/resolve`, body);
  const unknown = (parts = thread.slice(0, 1)) =>
    stored({ state: "unknown", error: errorOf("unknown_outcome"), nextAt: now }, parts);

  test("as published stores a person's receipt and plans the first reading", async () => {
    const { id } = await unknown();
    await anOpenAttempt(setup.context, id);

    const answer = await resolve(id, { outcome: "published", permalink });

    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      state: "published",
      nextAt: null,
      error: null,
      publishedAt: now.toISOString(),
      receipt: { remoteId: "112233", permalink, parts: [{ part: 0, knownBy: "person" }] },
      attempts: [{ outcome: "published", answeredAt: now.toISOString() }],
    });
    const runAt = new Date(now.getTime() + 15 * 60_000);
    expect(await wakesOf(channel.id)).toContainEqual(
      expect.objectContaining({ job: "read-engagement", lane: "sandbox", runAt }),
    );
  });

  test("as published may name the platform's own id", async () => {
    const { id } = await unknown();
    const remoteId = "at://did:plc:abc/app.bsky.feed.post/3k";

    const answer = await resolve(id, { outcome: "published", permalink, remoteId });

    expect(answer.body.receipt).toMatchObject({ remoteId, permalink });
  });

  test("as published in the middle of a thread lets the rest go out, once", async () => {
    const { id } = await unknown([...thread, { text: "Three.", mediaIds: [] }]);
    await aReceipt(setup.context, id, { part: 0 });
    await anOpenAttempt(setup.context, id, 1);

    const answer = await resolve(id, { outcome: "published", permalink });

    expect(answer.body).toMatchObject({ state: "partial", nextAt: now.toISOString() });
    expect(answer.body.receipt?.parts.map(({ part, knownBy }) => [part, knownBy])).toEqual([
      [0, "answered"],
      [1, "person"],
    ]);
    expect(await wakesOf(channel.id)).toMatchObject([{ job: "publish-channel", runAt: now }]);
  });

  test("as not published can send it again", async () => {
    const { id } = await unknown();
    await anOpenAttempt(setup.context, id);

    const answer = await resolve(id, notPublished("send_again"));

    expect(answer.body).toMatchObject({
      state: "scheduled",
      nextAt: now.toISOString(),
      latestAt: "2027-02-05T15:45:00.000Z",
      receipt: null,
      attempts: [{ outcome: "not_published" }],
    });
    expect(await wakesOf(channel.id)).toMatchObject([{ job: "publish-channel", runAt: now }]);
  });

  test("as not published sends only what is missing of a thread", async () => {
    const { id } = await unknown(thread);
    await aReceipt(setup.context, id, { part: 0 });
    await anOpenAttempt(setup.context, id, 1);

    const answer = await resolve(id, notPublished("send_again"));

    expect(answer.body).toMatchObject({ state: "partial", nextAt: now.toISOString() });
  });

  test("as not published can drop it", async () => {
    const { id } = await unknown();

    const answer = await resolve(id, notPublished("drop"));

    expect(answer.body).toMatchObject({ state: "cancelled", nextAt: null, error: null });
    expect(await wakesOf(channel.id)).toEqual([]);
  });

  test("as not published cannot call a thread cancelled that is partly out", async () => {
    const { id } = await unknown(thread);
    await aReceipt(setup.context, id, { part: 0 });

    const answer = await resolve(id, notPublished("drop"));

    expect(answer.body).toMatchObject({ state: "partial", nextAt: null });
  });

  test("by two people at once is done by one of them", async () => {
    const { id } = await unknown();
    await anOpenAttempt(setup.context, id);

    const answers = await Promise.all([
      resolve(id, { outcome: "published", permalink }),
      resolve(id, notPublished("send_again")),
    ]);

    expect(statusesOf(answers)).toEqual([200, 409]);
    const winner = answers.find(({ status }) => status === 200);
    const delivery = await read(id);
    expect(delivery.state).toBe(winner?.body.state);
    expect(delivery.receipt === null).toBe(delivery.state === "scheduled");
  });

  test.each(DELIVERY_STATES.filter((state) => state !== "unknown"))(
    "is refused when it is %s",
    async (state: DeliveryState) => {
      const { id } = await stored({ state });

      const answer = await resolve(id, notPublished("send_again"));

      expect(answer).toMatchObject({ status: 409, body: { code: "delivery.bad_state" } });
      expect((await read(id)).version).toBe(1);
    },
  );

  test("needs an address that names a post", async () => {
    const { id } = await unknown();

    const bare = await resolve(id, { outcome: "published", permalink: "https://social.example/" });
    const none = await resolve(id, { outcome: "published" });

    expect(bare).toMatchObject({ status: 400, body: { code: "delivery.no_remote_id" } });
    expect(none).toMatchObject({ status: 400, body: { code: "request.invalid" } });
    expect((await read(id)).state).toBe("unknown");
  });
});
