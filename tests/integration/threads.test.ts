import { beforeEach, expect, test } from "@jest/globals";
import { presentListedDelivery } from "../../api/present/delivery.ts";
import { endHold } from "../../shared/commands/end-hold.ts";
import { resolveDelivery } from "../../shared/commands/resolve-delivery.ts";
import type { ThreadDecision } from "../../shared/commands/settle-thread.ts";
import { startHold } from "../../shared/commands/start-hold.ts";
import {
  minutesAfterNoon,
  noon,
  publishingStack,
  type StackOptions,
} from "../support/publishing-stack.ts";
import { eventually } from "../support/publishing.ts";
import { describeInBothModes } from "../support/queue-modes.ts";

describeInBothModes("a thread that is half out", (mode) => {
  /** While it holds, the platform refuses whatever answers another post. */
  let refusesReplies = true;
  /** The reply with this word in it becomes public, and nobody hears of it. */
  let lost: string | null = null;
  const intercept: StackOptions["intercept"] = (passOn) => async (input, init) => {
    const isReply = init?.method === "POST" && /"parent":"/.test(textOf(init.body));
    if (isReply && lost !== null && textOf(init.body).includes(lost)) {
      lost = null;
      refusesReplies = true;
      await passOn(input, init);
      throw Object.assign(new TypeError("fetch failed"), { code: "ECONNRESET" });
    }
    if (!isReply || !refusesReplies) return passOn(input, init);
    const error = { code: "text_refused", message: "Not now." };
    return Response.json({ error }, { status: 422 });
  };
  const stack = publishingStack(mode, { intercept });
  beforeEach(() => {
    refusesReplies = true;
    lost = null;
  });

  const texts = () => ["One.", "Two.", "Three."].map((text) => `${text} ${stack.channel.id}`);
  const posts = () => stack.posts().map(({ text }) => text);
  const decide = (deliveryId: string, word: ThreadDecision) =>
    resolveDelivery(stack.context, stack.actor, { deliveryId, word });
  async function halfOut(): Promise<string> {
    const id = await stack.plan({ texts: texts(), dueAt: noon });
    await stack.start();
    await stack.reaches(id, "partial");
    expect(posts()).toEqual(texts().slice(0, 1));
    return id;
  }

  test("goes on with the missing parts at the time that a person gives", async () => {
    const id = await halfOut();
    refusesReplies = false;
    const at = { utc: minutesAfterNoon(60).toISOString() };

    await decide(id, { outcome: "go_on", at, latestAfterMinutes: null });

    expect(await stack.find(id)).toMatchObject({
      state: "partial",
      dueAt: minutesAfterNoon(60),
      nextAt: minutesAfterNoon(60),
    });
    expect(posts()).toHaveLength(1);
    await stack.setClock(minutesAfterNoon(60));
    await stack.reaches(id, "published");
    expect(posts()).toEqual(texts());
  });

  test("of five parts: one without an answer is found first, and a refusal leaves the rest to a person", async () => {
    refusesReplies = false;
    lost = "Three.";
    const five = [...texts(), `Four. ${stack.channel.id}`, `Five. ${stack.channel.id}`];
    const id = await stack.plan({ texts: five, dueAt: noon });
    await stack.start();
    await stack.reaches(id, "unknown");
    expect(posts()).toEqual(five.slice(0, 3));
    await stack.setClock(minutesAfterNoon(1));

    const stopped = await eventually(
      () => stack.find(id),
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

    await stack.reaches(id, "published");
    expect(posts()).toEqual(five);
  });

  test("goes on after a hold that had stopped it, and not before a person says so", async () => {
    const id = await halfOut();
    const hold = await startHold(stack.context, stack.actor, {
      scope: { kind: "channels", channelIds: [stack.channel.id] },
      reason: "The clinic is closed",
      endsAt: null,
    });
    refusesReplies = false;
    await decide(id, { outcome: "go_on", at: "now", latestAfterMinutes: null });
    await eventually(
      () => stack.find(id),
      ({ nextAt }) => nextAt === null,
    );
    await stack.setClock(minutesAfterNoon(5));
    await endHold(stack.context, stack.actor, { holdId: hold.id });
    const half = await stack.find(id);
    expect(half).toMatchObject({ state: "partial", nextAt: null });
    expect(presentListedDelivery(half).error).toMatchObject({
      kind: "held",
      title: "It was stopped by a hold",
      detail: "Some parts of the thread are out, the others are not.",
    });
    expect(posts()).toHaveLength(1);
    await stack.setClock(minutesAfterNoon(6));

    await decide(id, { outcome: "go_on", at: "now", latestAfterMinutes: null });

    await stack.reaches(id, "published");
    expect(posts()).toEqual(texts());
  });

  test("left as it is counts as published, is checked and measured, and never goes on", async () => {
    const id = await halfOut();
    refusesReplies = false;

    await decide(id, { outcome: "stop_here" });

    expect(await stack.find(id)).toMatchObject({
      state: "published",
      isCutShort: true,
      nextAt: null,
      receipts: [{ part: 0 }],
    });
    await stack.setClock(minutesAfterNoon(16));
    const checked = await eventually(
      () => stack.find(id),
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
