import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { presentListedDelivery } from "../../api/present/delivery.ts";
import { endHold } from "../../shared/commands/end-hold.ts";
import { resolveDelivery } from "../../shared/commands/resolve-delivery.ts";
import type { ThreadDecision } from "../../shared/commands/settle-thread.ts";
import { startHold } from "../../shared/commands/start-hold.ts";
import type { Simulator } from "../../shared/connectors/simulator.ts";
import type { Actor } from "../../shared/context.ts";
import { findDelivery } from "../../shared/queries/deliveries.ts";
import type { RunningWorker } from "../../worker/worker.ts";
import { anActor, type TestContext } from "../support/context.ts";
import {
  aConnectedChannel,
  aPlannedDelivery,
  contextWith,
  eventually,
  startSimulatorOf,
  startWorkers,
} from "../support/publishing.ts";
import { describeInBothModes, wipeRedis } from "../support/queue-modes.ts";

const noon = new Date("2027-02-05T12:00:00Z");
const minutesAfterNoon = (minutes: number) => new Date(noon.getTime() + minutes * 60_000);

describeInBothModes("a thread that is half out", (mode) => {
  let simulator: Simulator;
  let stack: TestContext;
  let actor: Actor;
  let channel: { id: string; platform: string };
  let workers: readonly RunningWorker[] = [];
  let count = 0;
  /** While it holds, the platform refuses whatever answers another post. */
  let refusesReplies = true;
  /** The reply with this word in it becomes public, and nobody hears of it. */
  let lost: string | null = null;

  beforeAll(async () => {
    await wipeRedis(mode);
    simulator = await startSimulatorOf("sandbox", { now: () => stack.context.now() });
    const real = await contextWith({ sandbox: simulator }, mode.settings);
    const refusing: typeof fetch = async (input, init) => {
      const isReply = init?.method === "POST" && /"parent":"/.test(textOf(init.body));
      if (isReply && lost !== null && textOf(init.body).includes(lost)) {
        lost = null;
        refusesReplies = true;
        await real.context.fetch(input, init);
        throw Object.assign(new TypeError("fetch failed"), { code: "ECONNRESET" });
      }
      if (!isReply || !refusesReplies) return real.context.fetch(input, init);
      const error = { code: "text_refused", message: "Not now." };
      return Response.json({ error }, { status: 422 });
    };
    stack = { ...real, context: { ...real.context, fetch: refusing } };
    actor = await anActor(stack);
  });
  beforeEach(async () => {
    refusesReplies = true;
    lost = null;
    count += 1;
    await stack.setClock(noon);
    const credentials = simulator.account(`account ${count}`);
    channel = await aConnectedChannel(stack, actor, "sandbox", credentials);
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    workers = [];
  });
  afterAll(async () => {
    await stack.close();
    await simulator.close();
  });

  async function find(id: string) {
    const delivery = await findDelivery(stack.db, actor.workspaceId, id);
    if (!delivery) throw new Error("There is no such delivery");
    return delivery;
  }
  const reaches = (id: string, state: string) =>
    eventually(
      () => find(id),
      (delivery) => delivery.state === state,
    );
  const texts = () => ["One.", "Two.", "Three."].map((text) => `${text} ${channel.id}`);
  const posts = () =>
    simulator.posts().flatMap(({ text }) => (text.endsWith(channel.id) ? [text] : []));
  const decide = (deliveryId: string, word: ThreadDecision) =>
    resolveDelivery(stack.context, actor, { deliveryId, word });
  async function halfOut(): Promise<string> {
    const id = await aPlannedDelivery(stack, actor, channel, { texts: texts(), dueAt: noon });
    workers = await startWorkers(stack);
    await reaches(id, "partial");
    expect(posts()).toEqual(texts().slice(0, 1));
    return id;
  }

  test("goes on with the missing parts at the time that a person gives", async () => {
    const id = await halfOut();
    refusesReplies = false;
    const at = { utc: minutesAfterNoon(60).toISOString() };

    await decide(id, { outcome: "go_on", at, latestAfterMinutes: null });

    expect(await find(id)).toMatchObject({
      state: "partial",
      dueAt: minutesAfterNoon(60),
      nextAt: minutesAfterNoon(60),
    });
    expect(posts()).toHaveLength(1);
    await stack.setClock(minutesAfterNoon(60));
    await reaches(id, "published");
    expect(posts()).toEqual(texts());
  });

  test("of five parts: one without an answer is found first, and a refusal leaves the rest to a person", async () => {
    refusesReplies = false;
    lost = "Three.";
    const five = [...texts(), `Four. ${channel.id}`, `Five. ${channel.id}`];
    const id = await aPlannedDelivery(stack, actor, channel, { texts: five, dueAt: noon });
    workers = await startWorkers(stack);
    await reaches(id, "unknown");
    expect(posts()).toEqual(five.slice(0, 3));
    await stack.setClock(minutesAfterNoon(1));

    const stopped = await eventually(
      () => find(id),
      ({ state, nextAt }) => state === "partial" && nextAt === null,
    );
    expect(stopped.receipts.map(({ knownBy }) => knownBy)).toEqual([
      "answered",
      "answered",
      "reconciled",
    ]);
    expect(stopped.error?.kind).toBe("content_rejected");
    refusesReplies = false;
    await decide(id, { outcome: "go_on", at: "now", latestAfterMinutes: null });
    // What was made up for is followed by a pause.
    await stack.setClock(minutesAfterNoon(2));

    await reaches(id, "published");
    expect(posts()).toEqual(five);
  });

  test("goes on after a hold that had stopped it, and not before a person says so", async () => {
    const id = await halfOut();
    const hold = await startHold(stack.context, actor, {
      scope: { kind: "channels", channelIds: [channel.id] },
      reason: "The clinic is closed",
      endsAt: null,
    });
    refusesReplies = false;
    await decide(id, { outcome: "go_on", at: "now", latestAfterMinutes: null });
    await eventually(
      () => find(id),
      ({ nextAt }) => nextAt === null,
    );
    await stack.setClock(minutesAfterNoon(5));
    await endHold(stack.context, actor, { holdId: hold.id });
    const half = await find(id);
    expect(half).toMatchObject({ state: "partial", nextAt: null });
    expect(presentListedDelivery(half).error).toMatchObject({
      kind: "held",
      title: "It was stopped by a hold",
      detail: "Some parts of the thread are out, the others are not.",
    });
    expect(posts()).toHaveLength(1);
    await stack.setClock(minutesAfterNoon(6));

    await decide(id, { outcome: "go_on", at: "now", latestAfterMinutes: null });

    await reaches(id, "published");
    expect(posts()).toEqual(texts());
  });

  test("left as it is counts as published, is checked and measured, and never goes on", async () => {
    const id = await halfOut();
    refusesReplies = false;

    await decide(id, { outcome: "stop_here" });

    expect(await find(id)).toMatchObject({
      state: "published",
      isCutShort: true,
      nextAt: null,
      receipts: [{ part: 0 }],
    });
    await stack.setClock(minutesAfterNoon(16));
    const checked = await eventually(
      () => find(id),
      ({ readBack }) => readBack !== null,
    );
    expect(checked.readBack).toBe("matches");
    const snapshots = () =>
      stack.db.selectFrom("snapshots").selectAll().where("deliveryId", "=", id).execute();
    await eventually(snapshots, (rows) => rows.length === 1);
    expect(posts()).toHaveLength(1);
  });
});

function textOf(body: unknown): string {
  return typeof body === "string" ? body : "";
}
