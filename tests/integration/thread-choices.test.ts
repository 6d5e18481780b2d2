import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import { connectChannel } from "../../shared/commands/connect-channel.ts";
import { proveCredentials } from "../../shared/commands/prove-credentials.ts";
import { removeDelivery } from "../../shared/commands/remove-delivery.ts";
import type { DeliveryView } from "../../shared/contract/delivery.ts";
import type { Simulator } from "../../shared/connectors/simulator.ts";
import { DELIVERY_STATES } from "../../shared/domain/delivery.ts";
import { startApi, type ApiClient, type TestApi } from "../support/api-client.ts";
import {
  aChannel,
  aDelivery,
  anOpenAttempt,
  aReceipt,
  type StoredDelivery,
} from "../support/builders.ts";
import type { TestContext } from "../support/context.ts";
import { contextWith, startSimulatorOf } from "../support/publishing.ts";

let setup: TestContext;
let api: TestApi;
let admin: ApiClient;
let channel: { id: string; platform: string };
let simulator: Simulator;

const now = new Date("2027-02-05T15:30:00Z");
const dueAt = new Date("2027-02-05T15:00:00Z");
const parts = ["One.", "Two.", "Three."].map((text) => ({ text, mediaIds: [] }));

beforeAll(async () => {
  simulator = await startSimulatorOf("bluesky", { now: () => now });
  setup = await contextWith({ bluesky: simulator }, {});
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
  await simulator.close();
});

async function stored(delivery: StoredDelivery, receipts = 0): Promise<string> {
  const content = { parts };
  const { context } = setup;
  const options = { dueAt, ...delivery, content };
  const { id } = await aDelivery(context, admin.actor, channel, options);
  for (let part = 0; part < receipts; part += 1) await aReceipt(context, id, { part });
  return id;
}
const halfOut = () => stored({ state: "partial" }, 2);
const read = async (id: string) => (await admin.get<DeliveryView>(`/deliveries/${id}`)).body;
const resolve = (id: string, body: object) =>
  admin.post<DeliveryView & { code: string }>(`/deliveries/${id}/resolve`, body);
const remove = (id: string) =>
  admin.post<DeliveryView & { code: string }>(`/deliveries/${id}/remove`);
const wakes = () =>
  setup.db
    .selectFrom("outbox")
    .select(["job", "runAt"])
    .where("subjectId", "=", channel.id)
    .orderBy("job")
    .execute();
const statusesOf = (answers: readonly { status: number }[]) =>
  answers.map(({ status }) => status).toSorted((a, b) => a - b);

describe("what there is to decide", () => {
  test("is spelled out with each delivery that waits for a person", async () => {
    const id = await halfOut();

    expect((await read(id)).choices).toEqual([
      { action: "go_on", title: expect.any(String), risk: expect.any(String) },
      {
        action: "stop_here",
        title: expect.any(String),
        risk: expect.stringContaining("without its end"),
      },
      {
        action: "remove",
        title: expect.any(String),
        risk: expect.stringContaining("cannot be brought back"),
      },
    ]);
    expect((await read(await stored({ state: "missed" }))).choices).toMatchObject([
      { action: "retry" },
      { action: "cancel" },
    ]);
    expect((await read(await stored({ state: "scheduled", nextAt: dueAt }))).choices).toEqual([]);
  });
});

describe("a thread that is half out", () => {
  test("goes on at once, or at a time", async () => {
    const id = await halfOut();

    const atOnce = await resolve(id, { outcome: "go_on" });
    expect(atOnce.body).toMatchObject({
      state: "partial",
      nextAt: now.toISOString(),
      error: null,
    });
    expect(await wakes()).toEqual([{ job: "publish-channel", runAt: now }]);
    const later = await resolve(id, {
      outcome: "go_on",
      at: { local: "2027-02-06T09:00", zone: "America/Chicago" },
    });
    expect(later.body).toMatchObject({
      state: "partial",
      nextAt: "2027-02-06T15:00:00.000Z",
      dueAt: "2027-02-06T15:00:00.000Z",
      zone: "America/Chicago",
    });
    const past = await resolve(id, { outcome: "go_on", at: { utc: "2027-02-05T15:00:00Z" } });
    expect(past).toMatchObject({ status: 400, body: { code: "post.time_in_past" } });
  });

  test("can be left as it is, and counts as published with the parts that it has", async () => {
    const id = await halfOut();

    const { status, body } = await resolve(id, { outcome: "stop_here" });

    expect(status).toBe(200);
    expect(body).toMatchObject({
      state: "published",
      isCutShort: true,
      nextAt: null,
      publishedAt: "2027-02-05T15:00:03.000Z",
      receipt: { parts: [{ part: 0 }, { part: 1 }] },
      choices: [{ action: "remove" }],
    });
    expect((await wakes()).map(({ job }) => job)).toEqual(["check-receipts", "read-engagement"]);
  });

  test("can be taken away: the wish is kept and a worker woken, and nothing else is left to do", async () => {
    const id = await halfOut();

    const { status, body } = await resolve(id, { outcome: "remove" });

    expect(status).toBe(200);
    expect(body).toMatchObject({
      state: "partial",
      nextAt: null,
      removal: { wishedAt: now.toISOString(), nextAt: now.toISOString(), error: null },
      choices: [],
    });
    expect(await wakes()).toEqual([{ job: "remove-parts", runAt: now }]);
    for (const word of [{ outcome: "go_on" }, { outcome: "stop_here" }]) {
      expect(await resolve(id, word)).toMatchObject({
        status: 409,
        body: { code: "delivery.being_removed" },
      });
    }
    expect(await admin.post(`/deliveries/${id}/retry`)).toMatchObject({
      status: 409,
      body: { code: "delivery.being_removed" },
    });
    const many = await admin.post("/deliveries/retry", { ids: [id] });
    expect(many.body).toMatchObject({ retried: 0, skippedIds: [id] });
    expect(await admin.delete(`/channels/${channel.id}`)).toMatchObject({
      status: 409,
      body: { code: "channel.in_use" },
    });
  });

  test("is settled by one of two people who do so at once", async () => {
    for (const words of [
      ["stop_here", "stop_here"],
      ["stop_here", "remove"],
    ]) {
      const id = await halfOut();

      const answers = await Promise.all(words.map((outcome) => resolve(id, { outcome })));

      expect(statusesOf(answers)).toEqual([200, 409]);
    }
  });

  test("is neither left nor taken away while one answer is missing", async () => {
    const id = await halfOut();
    await anOpenAttempt(setup.context, id, 2);

    for (const outcome of ["stop_here", "remove"]) {
      expect(await resolve(id, { outcome })).toMatchObject({
        status: 409,
        body: { code: "delivery.unanswered" },
      });
    }
    expect(await remove(id)).toMatchObject({ status: 409, body: { code: "delivery.unanswered" } });
    expect((await read(id)).state).toBe("partial");
  });

  test("that has no receipt is neither left nor taken away: a hand has been in the tables", async () => {
    const id = await stored({ state: "partial" });

    for (const outcome of ["stop_here", "remove"]) {
      expect(await resolve(id, { outcome })).toMatchObject({
        status: 409,
        body: { code: "delivery.bad_state" },
      });
    }
  });

  test.each(DELIVERY_STATES.filter((state) => state !== "partial"))(
    "is what these words are for: they are refused when it is %s",
    async (state) => {
      const id = await stored({ state });

      for (const outcome of ["go_on", "stop_here", "remove"]) {
        const answer = await resolve(id, { outcome });
        expect(answer).toMatchObject({
          status: 409,
          body: { code: "delivery.bad_state", errors: [{ path: "state", state }] },
        });
      }
      expect(await read(id)).toMatchObject({ state, version: 1 });
    },
  );
});

describe("a published delivery", () => {
  test("can be taken away, and asking twice is harmless", async () => {
    const id = await stored({ state: "published" }, 3);

    const first = await remove(id);
    const second = await remove(id);

    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.body).toMatchObject({
      state: "published",
      removal: { wishedAt: now.toISOString(), nextAt: now.toISOString() },
      choices: [],
    });
    expect(await wakes()).toEqual([{ job: "remove-parts", runAt: now }]);
  });

  test("may be asked for again where its removal waits for a person, who sees why", async () => {
    const id = await stored({ state: "published" }, 1);
    await remove(id);
    const error = JSON.stringify({
      kind: "permission",
      platformMessage: "No.",
      platformCode: "403",
    });
    await setup.db
      .updateTable("deliveries")
      .set({ removeAt: null, removalError: error })
      .where("id", "=", id)
      .execute();

    expect(await read(id)).toMatchObject({
      removal: {
        nextAt: null,
        error: { kind: "permission", detail: expect.stringContaining("still public") },
      },
      choices: [{ action: "remove" }],
    });
    expect((await remove(id)).body.removal).toMatchObject({
      nextAt: now.toISOString(),
      error: null,
    });
  });

  test.each(DELIVERY_STATES.filter((state) => !["published", "partial"].includes(state)))(
    "is what is taken away: it is refused when it is %s",
    async (state) => {
      const id = await stored({ state });

      expect(await remove(id)).toMatchObject({
        status: 409,
        body: { code: "delivery.bad_state" },
      });
    },
  );

  test("cannot be taken away without its channel", async () => {
    const id = await stored({ state: "published" }, 1);
    await setup.db
      .updateTable("channels")
      .set({ removedAt: now })
      .where("id", "=", channel.id)
      .execute();

    expect(await remove(id)).toMatchObject({
      status: 409,
      body: { code: "delivery.channel_removed" },
    });
  });

  test("stays where its platform lets no program take posts away", async () => {
    const id = await stored({ state: "published" }, 1);
    const sandbox = setup.context.connectors.get("sandbox");
    if (!sandbox) throw new Error("no sandbox");
    const withoutRemoval = { ...sandbox };
    delete withoutRemoval.remove;
    const connectors = new Map([["sandbox", withoutRemoval]]);

    const asked = removeDelivery({ ...setup.context, connectors }, admin.actor, { deliveryId: id });

    await expect(asked).rejects.toMatchObject({ code: "delivery.not_removable" });
    expect((await read(id)).removal).toBeNull();
  });

  test("is taken away by admins of its own workspace only", async () => {
    const id = await stored({ state: "published" }, 1);
    const { workspaceId } = admin.actor;
    const author = await api.signIn({ scope: "author", workspaceId });
    const stranger = await api.signIn();

    expect(await author.post(`/deliveries/${id}/remove`)).toMatchObject({
      status: 403,
      body: { code: "token.forbidden" },
    });
    for (const answer of [
      await stranger.post(`/deliveries/${id}/remove`),
      await admin.post(`/deliveries/${uuidv7()}/remove`),
    ]) {
      expect(answer).toMatchObject({ status: 404, body: { code: "delivery.missing" } });
    }
    expect((await read(id)).removal).toBeNull();
  });
});

describe("a post that a person found", () => {
  async function lostOnBluesky(): Promise<{ id: string; handle: string }> {
    const { context } = setup;
    const credentials = simulator.account(`heart-${uuidv7()}`);
    const connection = await proveCredentials(context, "bluesky", credentials);
    const { id } = await connectChannel(context, admin.actor, {
      platform: "bluesky",
      name: `Bluesky ${uuidv7()}`,
      connection,
    });
    channel = { id, platform: "bluesky" };
    const { id: deliveryId } = await aDelivery(context, admin.actor, channel, {
      state: "unknown",
      dueAt,
      content: { parts: parts.slice(0, 1) },
    });
    await anOpenAttempt(context, deliveryId);
    return { id: deliveryId, handle: connection.handle.replace(/^@/, "") };
  }

  test("is known by the id that its platform gives it, not by the end of its address", async () => {
    const { id, handle } = await lostOnBluesky();
    const permalink = `https://bsky.app/profile/${handle}/post/3lhmqpz5vys2k`;

    const { status, body } = await resolve(id, { outcome: "published", permalink });

    expect(status).toBe(200);
    expect(body.receipt?.remoteId).toMatch(
      /^at:\/\/did:[^/]+\/app\.bsky\.feed\.post\/3lhmqpz5vys2k$/,
    );
  });

  test("must be on the channel's own account", async () => {
    const { id } = await lostOnBluesky();
    const other = await lostOnBluesky();
    const permalink = `https://bsky.app/profile/${other.handle}/post/3lhmqpz5vys2k`;

    expect(await resolve(id, { outcome: "published", permalink })).toMatchObject({
      status: 400,
      body: { code: "delivery.no_remote_id" },
    });
    expect((await read(id)).state).toBe("unknown");
  });
});
