import { describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import { removeDelivery } from "../../shared/commands/remove-delivery.ts";
import type { DeliveryView } from "../../shared/contract/delivery.ts";
import { DELIVERY_STATES } from "../../shared/domain/delivery.ts";
import { statusesOf } from "../support/api-client.ts";
import { apiStack } from "../support/api-stack.ts";
import { anOpenAttempt, aReceipt, type StoredDelivery } from "../support/builders.ts";
import { dueAt, now, storedDeliveries } from "../support/stored-deliveries.ts";

const stack = apiStack({ now, each: "test" });
const deliveries = storedDeliveries(stack);
const { read, wakes } = deliveries;

async function stored(delivery: StoredDelivery, receipts = 0): Promise<string> {
  const { id } = await deliveries.stored(delivery, 3);
  for (let part = 0; part < receipts; part += 1) await aReceipt(stack.context, id, { part });
  return id;
}
const halfOut = () => stored({ state: "partial" }, 2);
const resolve = (id: string, body: object) =>
  stack.client.post<DeliveryView & { code: string }>(`/deliveries/${id}/resolve`, body);
const remove = (id: string) =>
  stack.client.post<DeliveryView & { code: string }>(`/deliveries/${id}/remove`);

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
    expect(await wakes()).toEqual([{ job: "publish-channel", lane: "sandbox", runAt: now }]);
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
    expect(await wakes()).toEqual([{ job: "remove-parts", lane: "sandbox", runAt: now }]);
    for (const word of [{ outcome: "go_on" }, { outcome: "stop_here" }]) {
      expect(await resolve(id, word)).toMatchObject({
        status: 409,
        body: { code: "delivery.being_removed" },
      });
    }
    expect(await stack.client.post(`/deliveries/${id}/retry`)).toMatchObject({
      status: 409,
      body: { code: "delivery.being_removed" },
    });
    const many = await stack.client.post("/deliveries/retry", { ids: [id] });
    expect(many.body).toMatchObject({ retried: 0, skippedIds: [id] });
    expect(await stack.client.delete(`/channels/${deliveries.channel.id}`)).toMatchObject({
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
    await anOpenAttempt(stack.context, id, 2);

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
    expect(await wakes()).toEqual([{ job: "remove-parts", lane: "sandbox", runAt: now }]);
  });

  test("may be asked for again where its removal waits for a person, who sees why", async () => {
    const id = await stored({ state: "published" }, 1);
    await remove(id);
    const error = JSON.stringify({
      kind: "permission",
      platformMessage: "No.",
      platformCode: "403",
    });
    await stack.db
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
    await stack.db
      .updateTable("channels")
      .set({ removedAt: now })
      .where("id", "=", deliveries.channel.id)
      .execute();

    expect(await remove(id)).toMatchObject({
      status: 409,
      body: { code: "delivery.channel_removed" },
    });
  });

  test("stays where its platform lets no program take posts away", async () => {
    const id = await stored({ state: "published" }, 1);
    const sandbox = stack.context.connectors.get("sandbox");
    if (!sandbox) throw new Error("no sandbox");
    const withoutRemoval = { ...sandbox };
    delete withoutRemoval.remove;
    const connectors = new Map([["sandbox", withoutRemoval]]);

    const asked = removeDelivery({ ...stack.context, connectors }, stack.client.actor, {
      deliveryId: id,
    });

    await expect(asked).rejects.toMatchObject({ code: "delivery.not_removable" });
    expect((await read(id)).removal).toBeNull();
  });

  test("is taken away by admins of its own workspace only", async () => {
    const id = await stored({ state: "published" }, 1);
    const { workspaceId } = stack.client.actor;
    const author = await stack.api.signIn({ scope: "author", workspaceId });
    const stranger = await stack.api.signIn();

    expect(await author.post(`/deliveries/${id}/remove`)).toMatchObject({
      status: 403,
      body: { code: "token.forbidden" },
    });
    for (const answer of [
      await stranger.post(`/deliveries/${id}/remove`),
      await stack.client.post(`/deliveries/${uuidv7()}/remove`),
    ]) {
      expect(answer).toMatchObject({ status: 404, body: { code: "delivery.missing" } });
    }
    expect((await read(id)).removal).toBeNull();
  });
});
