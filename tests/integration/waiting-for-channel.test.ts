import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Simulator } from "../../shared/connectors/simulator.ts";
import type { DeliveryView } from "../../shared/contract/delivery.ts";
import type { Actor } from "../../shared/context.ts";
import type { RunningWorker } from "../../worker/worker.ts";
import { startApi, type ApiClient, type TestApi } from "../support/api-client.ts";
import { anActor, type TestContext } from "../support/context.ts";
import {
  aPlannedDelivery,
  contextWith,
  eventually,
  startSimulatorOf,
  startWorkers,
} from "../support/publishing.ts";
import { describeInBothModes, wipeRedis, type QueueMode } from "../support/queue-modes.ts";
import { aKeptChannel, readChannel } from "../support/signed-in.ts";

const noon = new Date("2027-02-05T12:00:00Z");
const after = (minutes: number) => new Date(noon.getTime() + minutes * 60_000);

for (const platform of ["bluesky", "x"]) {
  describeInBothModes(`waiting for a channel on ${platform}`, (mode) => suite(platform, mode));
}

function suite(platform: string, mode: QueueMode): void {
  let simulator: Simulator;
  let stack: TestContext;
  let api: TestApi;
  let client: ApiClient;
  let author: Actor;
  let account: string;
  let channel: { id: string; platform: string };
  let workers: RunningWorker[] = [];

  beforeAll(async () => {
    await wipeRedis(mode);
    simulator = await startSimulatorOf(platform, { now: () => stack.context.now() });
    stack = await contextWith({ [platform]: simulator }, mode.settings);
    api = await startApi(stack.context);
  });
  beforeEach(async () => {
    await stack.setClock(noon);
    client = await api.signIn();
    const { workspaceId } = client.actor;
    author = await anActor(stack, { scope: "author", workspaceId });
    account = `heart${Math.floor(Math.random() * 1e9)}`;
    channel = await aKeptChannel(stack.context, client.actor, platform, simulator.account(account));
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    workers = [];
    const idle = { checkAt: null, renewAt: null } as const;
    await stack.db.updateTable("channels").set(idle).execute();
    await stack.db
      .updateTable("deliveries")
      .set({ nextAt: null, engagementAt: null, readBackAt: null })
      .execute();
  });
  afterAll(async () => {
    await api.close();
    await stack.close();
    await simulator.close();
  });

  const planned = (text: string, dueAt: Date, actor: Actor = author) =>
    aPlannedDelivery(stack, actor, channel, { texts: [`${text} ${channel.id}`], dueAt });
  const read = async (id: string) => (await client.get<DeliveryView>(`/deliveries/${id}`)).body;
  const reaches = (id: string, state: string) =>
    eventually(
      () => read(id),
      (delivery) => delivery.state === state,
    );
  const needsPerson = () =>
    eventually(
      () => readChannel(stack.context, channel.id),
      (row) => row.attention !== null,
    );
  const published = () =>
    simulator.posts().flatMap((post) => (post.text.endsWith(channel.id) ? [post.text] : []));
  const reconnect = () =>
    client.patch(`/channels/${channel.id}`, { credentials: simulator.account(account) });
  const noticesOf = (subjectId: string) =>
    stack.db
      .selectFrom("notices")
      .select(["kind", "recipientId", "reason"])
      .where("subjectId", "=", subjectId)
      .orderBy("number")
      .execute();

  test("what waits says so at once, stays scheduled, and goes out after reconnecting", async () => {
    const due = await planned("Due", noon);
    const later = await planned("Later", after(600));
    simulator.expireTokens(account, { forGood: true });

    workers = await startWorkers(stack, 2);
    await needsPerson();

    for (const id of [due, later]) {
      expect(await reaches(id, "scheduled")).toMatchObject({
        error: { kind: "reauthorize", nextStep: expect.stringContaining("Reconnect the channel") },
      });
    }
    expect(published()).toEqual([]);
    expect((await reconnect()).body).toMatchObject({ state: "connected", attention: null });
    await reaches(due, "published");
    expect(await read(later)).toMatchObject({ state: "scheduled", error: null });
    expect(published()).toEqual([`Due ${channel.id}`]);
  });

  test("what is not in time any more is missed, while the channel still waits", async () => {
    const id = await planned("Too late", noon);
    simulator.expireTokens(account, { forGood: true });
    workers = await startWorkers(stack);
    await needsPerson();

    await stack.setClock(after(14));
    expect((await read(id)).state).toBe("scheduled");
    await stack.setClock(after(16));

    await reaches(id, "missed");
    await reconnect();
    expect(await read(id)).toMatchObject({
      state: "missed",
      error: { detail: expect.stringContaining("its channel needed a person") },
    });
    expect(published()).toEqual([]);
  });

  test("a channel that waits keeps no worker busy", async () => {
    await planned("Due", noon);
    simulator.expireTokens(account, { forGood: true });
    workers = await startWorkers(stack);
    await needsPerson();
    const outbox = () =>
      stack.db
        .selectFrom("outbox")
        .select(["runAt", "fence"])
        .where("job", "=", "publish-channel")
        .where("subjectId", "=", channel.id)
        .executeTakeFirstOrThrow();

    const { fence } = await eventually(outbox, ({ runAt }) => runAt > after(10));
    await stack.setClock(after(3));
    await stack.setClock(after(6));

    const { runAt, fence: now } = await outbox();
    expect(now).toBe(fence);
    expect(Math.round((runAt.getTime() - noon.getTime()) / 60_000)).toBe(15);
  });

  test("what had failed for want of the channel goes on too, if it is still in time", async () => {
    const plan = { texts: [`Failed ${channel.id}`], dueAt: noon };
    const inTime = await aPlannedDelivery(stack, author, channel, plan);
    const tooLate = await planned("Failed long ago", after(-60));
    const error = JSON.stringify({
      kind: "permission",
      platformMessage: "No.",
      platformCode: null,
    });
    await stack.db
      .updateTable("deliveries")
      .set({ state: "failed", nextAt: null, error })
      .where("id", "in", [inTime, tooLate])
      .execute();
    const attention = JSON.stringify({ kind: "permission", title: "t", detail: "d" });
    await stack.db
      .updateTable("channels")
      .set({ state: "needs_attention", attention })
      .where("id", "=", channel.id)
      .execute();
    workers = await startWorkers(stack);

    await client.post(`/channels/${channel.id}/check`);

    await reaches(inTime, "published");
    expect((await read(tooLate)).state).toBe("failed");
  });

  test("everybody with a post at stake is told once an outage, and the admins", async () => {
    const stranger = await anActor(stack, {
      scope: "author",
      workspaceId: client.actor.workspaceId,
    });
    const ids = [await planned("One", noon), await planned("Two", after(1))];
    simulator.expireTokens(account, { forGood: true });

    workers = await startWorkers(stack);
    await needsPerson();
    await stack.setClock(after(2));
    await stack.setClock(after(17));
    for (const id of ids) await reaches(id, "missed");

    const told = await noticesOf(channel.id);
    expect(told.map(({ kind }) => kind)).toEqual(Array(2).fill("channel.needs_attention"));
    const recipients = told.map(({ recipientId }) => recipientId);
    expect(recipients.toSorted()).toEqual([author.tokenId, client.actor.tokenId].toSorted());
    expect(recipients).not.toContain(stranger.tokenId);
    for (const id of ids) {
      expect((await noticesOf(id)).map(({ kind }) => kind)).toEqual(
        Array(2).fill("delivery.missed"),
      );
    }
  });
}
