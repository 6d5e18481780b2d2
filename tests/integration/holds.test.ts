import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Simulator } from "../../shared/connectors/simulator.ts";
import type { HoldView } from "../../shared/contract/hold.ts";
import type { Actor } from "../../shared/context.ts";
import { confirmFence } from "../../shared/db/holds.ts";
import type { RunningWorker } from "../../worker/worker.ts";
import { startApi, type ApiClient, type TestApi } from "../support/api-client.ts";
import type { TestContext } from "../support/context.ts";
import { describeInBothModes, wipeRedis } from "../support/queue-modes.ts";
import {
  aConnectedChannel,
  aPlannedDelivery,
  contextWith,
  eventually,
  startSimulatorOf,
  startWorkers,
} from "../support/publishing.ts";

const noon = new Date("2027-02-05T12:00:00Z");
const minutesAfterNoon = (minutes: number) => new Date(noon.getTime() + minutes * 60_000);

describeInBothModes("holds", (mode) => {
  let simulator: Simulator;
  let stack: TestContext;
  let api: TestApi;
  let client: ApiClient;
  let actor: Actor;
  let channel: { id: string; platform: string };
  let workers: RunningWorker[] = [];

  beforeAll(async () => {
    await wipeRedis(mode);
    simulator = await startSimulatorOf("sandbox", { now: () => stack.context.now() });
    stack = await contextWith({ sandbox: simulator }, mode.settings);
    api = await startApi(stack.context);
  });
  beforeEach(async () => {
    await stack.setClock(noon);
    client = await api.signIn();
    actor = client.actor;
    channel = await aConnectedChannel(stack, actor, "sandbox", simulator.account(`a${Date.now()}`));
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    workers = [];
  });
  afterAll(async () => {
    await api.close();
    await stack.close();
    await simulator.close();
  });

  const stateOf = async (id: string) => {
    const query = stack.db.selectFrom("deliveries").select("state").where("id", "=", id);
    return (await query.executeTakeFirstOrThrow()).state;
  };
  const reaches = (id: string, state: string) =>
    eventually(
      () => stateOf(id),
      (now) => now === state,
    );
  const plan = (minutes: number, text = `Planned ${channel.id} ${minutes}`) =>
    aPlannedDelivery(stack, actor, channel, { texts: [text], dueAt: minutesAfterNoon(minutes) });
  const stop = (scope: unknown = { kind: "workspace" }, more: object = {}) =>
    client.post<HoldView>("/holds", { scope, reason: "A storm is coming.", ...more });
  const seenHere = () => simulator.posts().filter(({ text }) => text.includes(channel.id));

  test("lets nothing out after its answer, and ending it publishes nothing", async () => {
    workers = await startWorkers(stack, 2);
    const ids = await Promise.all([1, 2, 3].map((minutes) => plan(minutes)));

    const { status, body: hold } = await stop();
    await stack.setClock(minutesAfterNoon(5));
    for (const id of ids) await reaches(id, "held");
    const ended = await client.post<HoldView>(`/holds/${hold.id}/end`);

    expect({ status, active: hold.active, confirmed: hold.confirmed }).toEqual({
      status: 201,
      active: true,
      confirmed: true,
    });
    expect(ended.body).toMatchObject({ active: false, held: 3, alreadySending: [] });
    const later = await plan(6);
    await stack.setClock(minutesAfterNoon(6));
    await reaches(later, "published");
    expect(seenHere()).toHaveLength(1);
  });

  test("keeps what came due during it even when workers look only after its end", async () => {
    const id = await plan(1);
    const { body: hold } = await stop();
    await stack.setClock(minutesAfterNoon(2));
    await client.post(`/holds/${hold.id}/end`);

    workers = await startWorkers(stack);

    await reaches(id, "held");
    expect(seenHere()).toEqual([]);
  });

  test("publishes held deliveries when a person gives them a time", async () => {
    workers = await startWorkers(stack);
    const id = await plan(0);
    await reaches(id, "published");
    const { body: hold } = await stop();
    const held = await plan(1);
    await stack.setClock(minutesAfterNoon(1));
    await reaches(held, "held");

    await client.post(`/holds/${hold.id}/end`);
    await client.post(`/deliveries/${held}/retry`, {});

    await reaches(held, "published");
  });

  test("holds a retry, too, while it lasts", async () => {
    workers = await startWorkers(stack);
    await stop();
    const held = await plan(1);
    await stack.setClock(minutesAfterNoon(1));
    await reaches(held, "held");

    await client.post(`/deliveries/${held}/retry`, {});

    await reaches(held, "held");
    expect(seenHere()).toEqual([]);
  });

  test("stops one channel and leaves the others alone", async () => {
    const other = await aConnectedChannel(
      stack,
      actor,
      "sandbox",
      simulator.account(`b${Date.now()}`),
    );
    workers = await startWorkers(stack);
    await stop({ kind: "channels", channelIds: [other.id] });

    const free = await plan(1);
    const held = await aPlannedDelivery(stack, actor, other, {
      texts: ["Held"],
      dueAt: minutesAfterNoon(1),
    });
    await stack.setClock(minutesAfterNoon(1));

    await reaches(free, "published");
    await reaches(held, "held");
  });

  test.each([
    ["campaign", { campaign: "Heart Month" }],
    ["label", { labels: ["recipes"] }],
  ] as const)("stops by %s", async (kind, mark) => {
    workers = await startWorkers(stack);
    const marked = await plan(1);
    const free = await plan(2);
    const post = await stack.db
      .selectFrom("deliveries")
      .select("postId")
      .where("id", "=", marked)
      .executeTakeFirstOrThrow();
    const changes = "labels" in mark ? { labels: [...mark.labels] } : mark;
    await stack.db.updateTable("posts").set(changes).where("id", "=", post.postId).execute();

    await stop({ kind, [kind]: kind === "label" ? "recipes" : "Heart Month" });
    await stack.setClock(minutesAfterNoon(2));

    await reaches(marked, "held");
    await reaches(free, "published");
  });

  test.each(["must wait", "needs a person"])(
    "holds what comes due on a channel that %s, when its time comes",
    async (why) => {
      workers = await startWorkers(stack);
      const change =
        why === "must wait"
          ? { waitUntil: minutesAfterNoon(60), waitReason: "platform_limit" as const }
          : {
              state: "needs_attention" as const,
              attention: JSON.stringify({
                kind: "reauthorize",
                title: "Ended",
                detail: "Reconnect it.",
                platformMessage: null,
              }),
            };
      await stack.db.updateTable("channels").set(change).where("id", "=", channel.id).execute();
      const id = await plan(2);
      await stop();
      expect(await stateOf(id)).toBe("scheduled");

      await stack.setClock(minutesAfterNoon(2));

      await reaches(id, "held");
      const notices = stack.db.selectFrom("notices").select("kind").where("subjectId", "=", id);
      expect(await notices.execute()).toContainEqual({ kind: "delivery.held" });
    },
  );

  test("ends by itself", async () => {
    workers = await startWorkers(stack);
    await stop({ kind: "workspace" }, { endsAt: minutesAfterNoon(10).toISOString() });
    const during = await plan(5);
    const after = await plan(11);

    await stack.setClock(minutesAfterNoon(5));
    await reaches(during, "held");
    await stack.setClock(minutesAfterNoon(11));

    await reaches(after, "published");
    expect(await stateOf(during)).toBe("held");
  });

  test("does not reach into another workspace", async () => {
    const stranger = await api.signIn();
    workers = await startWorkers(stack);
    const hold = await stranger.post<HoldView>("/holds", {
      scope: { kind: "workspace" },
      reason: "Theirs.",
    });
    const id = await plan(1);

    await stack.setClock(minutesAfterNoon(1));

    await reaches(id, "published");
    expect((await client.get(`/holds/${hold.body.id}`)).status).toBe(404);
  });

  test("waits for a worker that has not confirmed", async () => {
    await confirmFence(stack.db, "slow-worker", 0);
    const answer = stop();
    const isOpen = Symbol("open");
    const first = await Promise.race([
      answer,
      eventually(
        () =>
          stack.db
            .selectFrom("holds")
            .select("fence")
            .where("workspaceId", "=", actor.workspaceId)
            .execute(),
        (rows) => rows.length === 1,
      ).then(() => isOpen),
    ]);
    const fence = await confirmFence(stack.db, "slow-worker", 0);

    await confirmFence(stack.db, "slow-worker", fence);

    expect(first).toBe(isOpen);
    expect((await answer).body.confirmed).toBe(true);
    await stack.db.deleteFrom("workers").where("id", "=", "slow-worker").execute();
  });

  test("names what was already being sent", async () => {
    simulator.fault("commit_hang_after_success", 1);
    workers = await startWorkers(stack);
    const id = await plan(0);
    await reaches(id, "sending");

    const { body: hold } = await stop();

    expect(hold.alreadySending).toMatchObject([{ deliveryId: id, channelId: channel.id }]);
    simulator.fault("commit_hang_after_success", 0);
  });

  test("names what was armed while it was about to begin", async () => {
    simulator.fault("commit_hang_after_success", 1);
    workers = await startWorkers(stack);
    const id = await plan(0);
    await reaches(id, "sending");
    // As if the hold's transaction had begun before, and had waited for the attempt to be written.
    await stack.setClock(minutesAfterNoon(-1));

    const { body: hold } = await stop();

    expect(hold.alreadySending).toMatchObject([{ deliveryId: id, channelId: channel.id }]);
    simulator.fault("commit_hang_after_success", 0);
  });

  test("is repeated under the same key as one hold", async () => {
    const headers = { "Idempotency-Key": `stop ${channel.id}` };
    const body = { scope: { kind: "workspace" }, reason: "Twice pressed." };

    const first = await client.post<HoldView>("/holds", body, headers);
    const second = await client.post<HoldView>("/holds", body, headers);

    expect(second.body.id).toBe(first.body.id);
    expect((await client.get<{ items: unknown[] }>("/holds")).body.items).toHaveLength(1);
  });
});
