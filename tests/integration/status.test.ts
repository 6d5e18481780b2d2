import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { StatusView } from "../../shared/contract/status.ts";
import type { Attention } from "../../shared/domain/channel.ts";
import type { Forecast } from "../../shared/domain/preflight.ts";
import { startApi, type ApiClient, type TestApi } from "../support/api-client.ts";
import { aChannel, aDelivery } from "../support/builders.ts";
import { createTestContext, type TestContext } from "../support/context.ts";

const now = new Date("2027-02-05T15:00:00Z");
const inHours = (hours: number) => new Date(now.getTime() + hours * 3_600_000);

let opened: TestContext;
let api: TestApi;
let client: ApiClient;

beforeAll(async () => {
  opened = await createTestContext();
  await opened.setClock(now, { frozen: true });
  await aWorker();
  api = await startApi(opened.context);
});

beforeEach(async () => {
  client = await api.signIn();
});

afterAll(async () => {
  await api.close();
  await opened.close();
});

/** A worker that is heard of for as long as the tests may take. */
async function aWorker(): Promise<void> {
  const seenAt = new Date(Date.now() + 3_600_000);
  await opened.db.insertInto("workers").values({ id: "a", seenAt, confirmedFence: 0 }).execute();
}

async function status(): Promise<StatusView> {
  const { body } = await client.get<StatusView>("/status");
  return body;
}

/** A delivery that waits for its time. */
async function planned(channel: { id: string; platform: string }, at: Date): Promise<string> {
  const stored = { state: "scheduled", dueAt: at, nextAt: at } as const;
  return (await aDelivery(opened.context, client.actor, channel, stored)).id;
}

test("counts what is due within a day", async () => {
  const channel = await aChannel(opened.context, client.actor);
  await planned(channel, inHours(1));
  await planned(channel, inHours(23));
  await planned(channel, inHours(25));

  expect(await status()).toMatchObject({
    ok: true,
    at: now.toISOString(),
    next24Hours: { deliveries: 2, atStake: 0 },
  });
});

test("names the channels that need a person, and what is at stake on each", async () => {
  const healthy = await aChannel(opened.context, client.actor);
  const ill = await aChannel(opened.context, client.actor, { name: "Heart" });
  await planned(healthy, inHours(2));
  await planned(ill, inHours(3));
  const attention: Attention = { kind: "reauthorize", title: "The sign-in has ended", detail: "d" };
  await opened.db
    .updateTable("channels")
    .set({ state: "needs_attention", attention: JSON.stringify(attention) })
    .where("id", "=", ill.id)
    .execute();

  expect(await status()).toMatchObject({
    ok: false,
    next24Hours: { deliveries: 2, atStake: 1 },
    channelsNeedingAttention: [
      { channelId: ill.id, name: "Heart", kind: "reauthorize", deliveriesAtStake: 1 },
    ],
  });
});

test("counts what waits for a person", async () => {
  const channel = await aChannel(opened.context, client.actor);
  for (const state of ["failed", "failed", "unknown", "missed"] as const) {
    await aDelivery(opened.context, client.actor, channel, { state, dueAt: inHours(-2) });
  }

  expect(await status()).toMatchObject({
    ok: true,
    waitingForPerson: { failed: 2, unknown: 1, partial: 0, missed: 1, held: 0, expired: 0 },
  });
});

test("shows what is overdue, and allows workers a moment", async () => {
  const channel = await aChannel(opened.context, client.actor);
  await planned(channel, new Date(now.getTime() - 30_000));
  const patient = await status();

  const deliveryId = await planned(channel, inHours(-1));
  const alarmed = await status();

  expect(patient).toMatchObject({ ok: true, oldestOverdue: null });
  expect(alarmed).toMatchObject({
    ok: false,
    oldestOverdue: { deliveryId, dueAt: inHours(-1).toISOString() },
  });
});

test("does not call late what is to be tried again later", async () => {
  const channel = await aChannel(opened.context, client.actor);
  const stored = { state: "scheduled", dueAt: inHours(-1), nextAt: inHours(1) } as const;
  await aDelivery(opened.context, client.actor, channel, stored);

  expect(await status()).toMatchObject({ ok: true, oldestOverdue: null });
});

test("knows nothing of other workspaces", async () => {
  const stranger = await api.signIn();
  const channel = await aChannel(opened.context, stranger.actor);
  await aDelivery(opened.context, stranger.actor, channel, { state: "failed", dueAt: inHours(-9) });

  expect(await status()).toMatchObject({
    next24Hours: { deliveries: 0 },
    waitingForPerson: { failed: 0 },
    channelsNeedingAttention: [],
  });
});

test("says of each channel what is foretold of its next 24 hours, and why what is red is red", async () => {
  const heart = await aChannel(opened.context, client.actor, { name: "Heart" });
  const lungs = await aChannel(opened.context, client.actor, { name: "Lungs" });
  const reason = { code: "media.broken", light: "red", title: "t", nextStep: "n" } as const;
  const ids = await Promise.all([1, 2, 3, 30].map((hours) => planned(heart, inHours(hours))));
  const [redId = "", amberId = "", , laterId = ""] = ids;
  await foretell(redId, { light: "red", reasons: [reason] });
  await foretell(amberId, { light: "amber", reasons: [{ ...reason, light: "amber" }] });
  await foretell(laterId, { light: "red", reasons: [reason] });
  await foretell(await planned(lungs, inHours(4)), { light: "green", reasons: [] });

  const { ok, next24Hours, channels } = await status();

  expect({ ok, next24Hours }).toEqual({
    ok: false,
    next24Hours: { deliveries: 4, atStake: 0, green: 1, amber: 1, red: 1, unchecked: 1 },
  });
  const reds = [{ deliveryId: redId, dueAt: inHours(1).toISOString(), reasons: [reason] }];
  expect(channels).toMatchObject([
    { channelId: heart.id, name: "Heart", green: 0, amber: 1, red: 1, unchecked: 1, reds },
    { channelId: lungs.id, green: 1, amber: 0, red: 0, unchecked: 0, reds: [] },
  ]);
});

test("does not promise anything while no worker lives", async () => {
  const seen = (minutesAgo: number) =>
    opened.db
      .updateTable("workers")
      .set({ seenAt: new Date(Date.now() - minutesAgo * 60_000) })
      .execute();
  await seen(1);
  const alone = await status();
  await seen(-60);

  expect(alone).toMatchObject({ ok: false, workers: { alive: 0 } });
  expect(alone.workers.lastSeenAt).not.toBeNull();
  expect(await status()).toMatchObject({ ok: true, workers: { alive: 1 } });
});

test("knows of a queue only where there is one", async () => {
  expect((await status()).queue).toEqual({ mode: "direct", isReachable: null, silentLanes: [] });
});

/** As the preflight would leave it. */
async function foretell(deliveryId: string, found: Forecast): Promise<void> {
  const preflight = JSON.stringify({ ...found, checkedAt: now.toISOString() });
  const query = opened.db.updateTable("deliveries").set({ preflight });
  await query.where("id", "=", deliveryId).execute();
}
