import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { proveCredentials } from "../../shared/commands/prove-credentials.ts";
import { removeDelivery } from "../../shared/commands/remove-delivery.ts";
import { resolveDelivery } from "../../shared/commands/resolve-delivery.ts";
import { startHold } from "../../shared/commands/start-hold.ts";
import { updateChannel } from "../../shared/commands/update-channel.ts";
import type { Simulator } from "../../shared/connectors/simulator.ts";
import type { Actor } from "../../shared/context.ts";
import { recordPublished } from "../../shared/db/publications.ts";
import { findDelivery } from "../../shared/queries/deliveries.ts";
import type { RunningWorker } from "../../worker/worker.ts";
import { anOpenAttempt } from "../support/builders.ts";
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

/** Longer than the platform takes. */
const REFUSED = "x".repeat(600);

describeInBothModes("removing what is out", (mode) => {
  let simulator: Simulator;
  let stack: TestContext;
  let actor: Actor;
  let channel: { id: string; platform: string };
  let workers: readonly RunningWorker[] = [];
  let count = 0;
  /** Answers a request to take a post away in the platform's stead; null lets it through. */
  let interfere: (signal: AbortSignal) => Promise<Response | null>;
  let removedIds: string[] = [];

  beforeAll(async () => {
    await wipeRedis(mode);
    simulator = await startSimulatorOf("sandbox", { now: () => stack.context.now() });
    const real = await contextWith({ sandbox: simulator }, mode.settings);
    const watched: typeof fetch = async (input, init) => {
      const { method, signal } = init ?? {};
      if (method !== "DELETE" || !signal) return real.context.fetch(input, init);
      const answer = await interfere(signal);
      if (answer) return answer;
      removedIds.push(typeof input === "string" ? (input.split("/").at(-1) ?? "") : "");
      return real.context.fetch(input, init);
    };
    stack = { ...real, context: { ...real.context, fetch: watched } };
    actor = await anActor(stack);
  });
  beforeEach(async () => {
    interfere = () => Promise.resolve(null);
    removedIds = [];
    count += 1;
    await stack.setClock(noon);
    channel = await aConnectedChannel(
      stack,
      actor,
      "sandbox",
      simulator.account(`account ${count}`),
    );
  });
  afterEach(stopWorkers);
  afterAll(async () => {
    await stack.close();
    await simulator.close();
  });

  async function stopWorkers(): Promise<void> {
    await Promise.all(workers.map((worker) => worker.stop()));
    workers = [];
  }
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
  const textOf = (text: string) => `${text} ${channel.id}`;
  const posts = () =>
    simulator.posts().filter(({ text }) => text.endsWith(channel.id) && text.length < 100);
  const remove = (deliveryId: string) => removeDelivery(stack.context, actor, { deliveryId });
  const removals = (id: string) =>
    stack.db
      .selectFrom("removals")
      .select(["part", "outcome"])
      .where("deliveryId", "=", id)
      .orderBy("answeredAt")
      .orderBy("part", "desc")
      .execute();
  const eventsOf = async (id: string) => {
    const { db } = stack;
    const rows = await db.selectFrom("events").select("type").where("subjectId", "=", id).execute();
    return rows.map(({ type }) => type);
  };
  async function published(texts: readonly string[]): Promise<string> {
    const id = await aPlannedDelivery(stack, actor, channel, {
      texts: texts.map(textOf),
      dueAt: noon,
    });
    workers = await startWorkers(stack);
    await reaches(id, "published");
    return id;
  }
  async function halfOut(): Promise<string> {
    const texts = [textOf("One."), textOf("Two."), REFUSED];
    const id = await aPlannedDelivery(stack, actor, channel, { texts, dueAt: noon });
    workers = await startWorkers(stack);
    await reaches(id, "partial");
    return id;
  }

  test("takes a published thread away, its last part first, and tells of it", async () => {
    const id = await published(["One.", "Two.", "Three."]);

    await remove(id);

    const delivery = await reaches(id, "removed");
    const ids = delivery.receipts.map(({ remoteId }) => remoteId);
    expect(removedIds).toEqual(ids.toReversed());
    expect(posts().map(({ removed }) => removed)).toEqual([true, true, true]);
    expect(await removals(id)).toEqual([2, 1, 0].map((part) => ({ part, outcome: "removed" })));
    expect(delivery.receipts.every(({ removedAt }) => removedAt !== null)).toBe(true);
    expect(await eventsOf(id)).toContain("delivery.removed");
    const row = await stack.db
      .selectFrom("deliveries")
      .select(["nextAt", "removeAt", "engagementAt", "readBackAt"])
      .where("id", "=", id)
      .executeTakeFirst();
    expect(row).toEqual({ nextAt: null, removeAt: null, engagementAt: null, readBackAt: null });
  });

  test("takes away what is out of a thread that a person does not want to go on", async () => {
    const id = await halfOut();

    await resolveDelivery(stack.context, actor, { deliveryId: id, word: { outcome: "remove" } });

    await reaches(id, "removed");
    expect(posts().map(({ text, removed }) => [text, removed])).toEqual([
      [textOf("One."), true],
      [textOf("Two."), true],
    ]);
  });

  test("is not stopped by a hold", async () => {
    const id = await published(["Stopped by nobody."]);
    await startHold(stack.context, actor, {
      scope: { kind: "channels", channelIds: [channel.id] },
      reason: "Everything about this is wrong",
      endsAt: null,
    });

    await remove(id);

    await reaches(id, "removed");
    expect(posts()).toMatchObject([{ removed: true }]);
  });

  test("goes on where a worker was killed between the platform's answer and its own note", async () => {
    const id = await published(["One.", "Two."]);
    await stopWorkers();
    await remove(id);
    const [, second] = (await find(id)).receipts;
    await stack.context.fetch(`${simulator.url}/api/posts/${second?.remoteId}`, {
      method: "DELETE",
      headers: await signedIn(),
    });
    expect(posts().map(({ removed }) => removed)).toEqual([false, true]);
    removedIds = [];

    workers = await startWorkers(stack);

    const { receipts } = await reaches(id, "removed");
    expect(removedIds).toEqual(receipts.map(({ remoteId }) => remoteId).toReversed());
    expect(await removals(id)).toHaveLength(2);
  });

  test("is given up half way by a worker that stops, and finished by the next one", async () => {
    const id = await published(["One.", "Two."]);
    let asked = 0;
    interfere = (signal) => {
      asked += 1;
      return asked === 1 ? Promise.resolve(null) : endOf(signal);
    };
    await remove(id);
    await eventually(
      () => Promise.resolve(asked),
      (times) => times === 2,
    );

    await stopWorkers();
    expect(await removals(id)).toEqual([{ part: 1, outcome: "removed" }]);
    interfere = () => Promise.resolve(null);
    workers = await startWorkers(stack);

    await reaches(id, "removed");
    expect(await removals(id)).toHaveLength(2);
  });

  test("is tried again when the platform was away, and shows why it is not done", async () => {
    const id = await published(["Away."]);
    let answers = [503, 503];
    interfere = () => {
      const [status, ...rest] = answers;
      answers = rest;
      return Promise.resolve(status === undefined ? null : new Response("down", { status }));
    };

    await remove(id);

    const waiting = await eventually(
      () => find(id),
      ({ removalError }) => removalError !== null,
    );
    expect(waiting).toMatchObject({ state: "published", removalError: { kind: "unavailable" } });
    expect(waiting.removeAt?.getTime()).toBeGreaterThan(noon.getTime());
    await stack.setClock(minutesAfterNoon(2));
    await eventually(
      () => removals(id),
      (rows) => rows.length === 2,
    );
    await stack.setClock(minutesAfterNoon(10));

    const done = await reaches(id, "removed");
    expect(done.removalError).toBeNull();
    expect((await removals(id)).map(({ outcome }) => outcome)).toEqual([
      "unavailable",
      "unavailable",
      "removed",
    ]);
  });

  test("waits for a person where the platform forbids it, and goes on when asked again", async () => {
    const id = await published(["Not yours."]);
    interfere = () =>
      Promise.resolve(
        Response.json({ error: { code: "too_large", message: "No." } }, { status: 422 }),
      );

    await remove(id);

    const waiting = await eventually(
      () => find(id),
      ({ removalError }) => removalError !== null,
    );
    expect(waiting).toMatchObject({
      state: "published",
      removeAt: null,
      removalError: { platformMessage: "No." },
    });
    expect(await eventsOf(id)).toContain("delivery.removal_failed");
    interfere = () => Promise.resolve(null);
    await remove(id);

    await reaches(id, "removed");
    expect(posts()).toMatchObject([{ removed: true }]);
  });

  test("goes on by itself when the channel has been signed in again", async () => {
    const id = await published(["Signed out."]);
    simulator.expireTokens(`account ${count}`, { forGood: true });

    await remove(id);

    const waiting = await eventually(
      () => find(id),
      ({ removalError }) => removalError !== null,
    );
    expect(waiting).toMatchObject({ removeAt: null, removalError: { kind: "reauthorize" } });
    const told = await stack.db
      .selectFrom("notices")
      .select("kind")
      .where("subjectId", "in", [id, channel.id])
      .orderBy("kind")
      .execute();
    expect(told).toEqual([
      { kind: "channel.needs_attention" },
      { kind: "delivery.removal_failed" },
    ]);
    const connection = await signIn();
    await updateChannel(stack.context, actor, { channelId: channel.id, connection });

    await reaches(id, "removed");
    expect(posts()).toMatchObject([{ removed: true }]);
  });

  test("takes away a part, too, of which the answer came only then", async () => {
    const id = await halfOut();
    await stopWorkers();
    const { receipts } = await find(id);
    await remove(id);
    const attemptId = await anOpenAttempt(stack.context, id, 2);
    const { contentHash } = await stack.db
      .selectFrom("deliveries")
      .select("contentHash")
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
    await recordPublished(stack.db, [
      {
        attemptId,
        deliveryId: id,
        part: 2,
        isLast: true,
        remoteId: "0190f000-0000-7000-8000-000000000002",
        permalink: null,
        publishedAt: null,
        contentHash,
        reference: null,
        knownBy: "answered",
        firstReadingMs: 60_000,
      },
    ]);

    workers = await startWorkers(stack);

    await reaches(id, "removed");
    expect(removedIds).toEqual([
      "0190f000-0000-7000-8000-000000000002",
      ...receipts.map(({ remoteId }) => remoteId).toReversed(),
    ]);
  });

  /** As a person who reconnects the channel does. */
  async function signIn() {
    const connection = await proveCredentials(
      stack.context,
      "sandbox",
      simulator.account(`account ${count}`),
    );
    // Test channels are apart although they may share an account.
    return { ...connection, remoteAccountId: `${connection.remoteAccountId} ${channel.id}` };
  }
  async function signedIn(): Promise<Record<string, string>> {
    const { sealer } = stack.context;
    const row = await stack.db
      .selectFrom("channels")
      .select("sealedCredentials")
      .where("id", "=", channel.id)
      .executeTakeFirstOrThrow();
    const opened = sealer.open(row.sealedCredentials, `channels/${channel.id}/credentials`);
    const token = typeof opened === "object" && opened && "token" in opened ? opened.token : "";
    return { authorization: `Bearer ${String(token)}` };
  }
});

/** A request that has no answer. */
function endOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("aborted")));
  });
}
