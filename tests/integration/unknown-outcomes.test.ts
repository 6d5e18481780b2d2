import { afterAll, describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import { connectChannel } from "../../shared/commands/connect-channel.ts";
import { proveCredentials } from "../../shared/commands/prove-credentials.ts";
import type { Simulator } from "../../shared/connectors/simulator.ts";
import type { DeliveryView } from "../../shared/contract/delivery.ts";
import { DELIVERY_STATES, type DeliveryState } from "../../shared/domain/delivery.ts";
import { statusesOf } from "../support/api-client.ts";
import { apiStack } from "../support/api-stack.ts";
import { aDelivery, anOpenAttempt, aReceipt } from "../support/builders.ts";
import { contextWith, startSimulatorOf } from "../support/publishing.ts";
import {
  dueAt,
  errorOf,
  notPublished,
  now,
  parts,
  storedDeliveries,
} from "../support/stored-deliveries.ts";

let simulator: Simulator;
const stack = apiStack({
  now,
  each: "test",
  async open() {
    simulator = await startSimulatorOf("bluesky", { now: () => now });
    return contextWith({ bluesky: simulator }, {});
  },
});
const { stored, read, wakes } = storedDeliveries(stack);

afterAll(() => simulator.close());

const resolve = (id: string, body: object) =>
  stack.client.post<DeliveryView & { code: string }>(`/deliveries/${id}/resolve`, body);

describe("settling a delivery of unknown outcome", () => {
  const permalink = "https://social.example/@heart/112233";
  const unknown = (count = 1) =>
    stored({ state: "unknown", error: errorOf("unknown_outcome"), nextAt: now }, count);

  test("as published stores a person's receipt and plans the first reading", async () => {
    const { id } = await unknown();
    await anOpenAttempt(stack.context, id);

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
    expect(await wakes()).toContainEqual(
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
    const { id } = await unknown(3);
    await aReceipt(stack.context, id, { part: 0 });
    await anOpenAttempt(stack.context, id, 1);

    const answer = await resolve(id, { outcome: "published", permalink });

    expect(answer.body).toMatchObject({ state: "partial", nextAt: now.toISOString() });
    expect(answer.body.receipt?.parts.map(({ part, knownBy }) => [part, knownBy])).toEqual([
      [0, "answered"],
      [1, "person"],
    ]);
    expect(await wakes()).toMatchObject([{ job: "publish-channel", runAt: now }]);
  });

  test("as not published can send it again", async () => {
    const { id } = await unknown();
    await anOpenAttempt(stack.context, id);

    const answer = await resolve(id, notPublished("send_again"));

    expect(answer.body).toMatchObject({
      state: "scheduled",
      nextAt: now.toISOString(),
      latestAt: "2027-02-05T15:45:00.000Z",
      receipt: null,
      attempts: [{ outcome: "not_published" }],
    });
    expect(await wakes()).toMatchObject([{ job: "publish-channel", runAt: now }]);
  });

  test("as not published sends only what is missing of a thread", async () => {
    const { id } = await unknown(2);
    await aReceipt(stack.context, id, { part: 0 });
    await anOpenAttempt(stack.context, id, 1);

    const answer = await resolve(id, notPublished("send_again"));

    expect(answer.body).toMatchObject({ state: "partial", nextAt: now.toISOString() });
  });

  test("as not published can drop it", async () => {
    const { id } = await unknown();

    const answer = await resolve(id, notPublished("drop"));

    expect(answer.body).toMatchObject({ state: "cancelled", nextAt: null, error: null });
    expect(await wakes()).toEqual([]);
  });

  test("as not published cannot call a thread cancelled that is partly out", async () => {
    const { id } = await unknown(2);
    await aReceipt(stack.context, id, { part: 0 });

    const answer = await resolve(id, notPublished("drop"));

    expect(answer.body).toMatchObject({ state: "partial", nextAt: null });
  });

  test("by two people at once is done by one of them", async () => {
    const { id } = await unknown();
    await anOpenAttempt(stack.context, id);

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

describe("a post that a person found", () => {
  async function lostOnBluesky(): Promise<{ id: string; handle: string }> {
    const { context } = stack;
    const credentials = simulator.account(`heart-${uuidv7()}`);
    const connection = await proveCredentials(context, "bluesky", credentials);
    const { id } = await connectChannel(context, stack.client.actor, {
      platform: "bluesky",
      name: `Bluesky ${uuidv7()}`,
      connection,
    });
    const channel = { id, platform: "bluesky" };
    const { id: deliveryId } = await aDelivery(context, stack.client.actor, channel, {
      state: "unknown",
      dueAt,
      content: { parts: parts(1) },
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
