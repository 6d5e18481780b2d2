import { beforeEach, expect, test } from "@jest/globals";
import { proveCredentials } from "../../shared/commands/prove-credentials.ts";
import { removeDelivery } from "../../shared/commands/remove-delivery.ts";
import { resolveDelivery } from "../../shared/commands/resolve-delivery.ts";
import { startHold } from "../../shared/commands/start-hold.ts";
import { updateChannel } from "../../shared/commands/update-channel.ts";
import { recordPublished } from "../../shared/db/publications.ts";
import { anOpenAttempt } from "../support/builders.ts";
import {
  minutesAfterNoon,
  noon,
  publishingStack,
  type StackOptions,
} from "../support/publishing-stack.ts";
import { eventually } from "../support/publishing.ts";
import { describeInBothModes } from "../support/queue-modes.ts";

/** Longer than the platform takes. */
const REFUSED = "x".repeat(600);

describeInBothModes("removing what is out", (mode) => {
  /** Answers a request to take a post away in the platform's stead; null lets it through. */
  let interfere: (signal: AbortSignal) => Promise<Response | null>;
  let removedIds: string[] = [];
  const intercept: StackOptions["intercept"] = (passOn) => async (input, init) => {
    const { method, signal } = init ?? {};
    if (method !== "DELETE" || !signal) return passOn(input, init);
    const answer = await interfere(signal);
    if (answer) return answer;
    removedIds.push(typeof input === "string" ? (input.split("/").at(-1) ?? "") : "");
    return passOn(input, init);
  };
  const stack = publishingStack(mode, { intercept });
  beforeEach(() => {
    interfere = () => Promise.resolve(null);
    removedIds = [];
  });

  const textOf = (text: string) => `${text} ${stack.channel.id}`;
  const remove = (deliveryId: string) => removeDelivery(stack.context, stack.actor, { deliveryId });
  const failsToRemove = (id: string) =>
    eventually(
      () => stack.find(id),
      ({ removalError }) => removalError !== null,
    );
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
    const id = await stack.plan({ texts: texts.map(textOf) });
    await stack.start();
    await stack.reaches(id, "published");
    return id;
  }
  async function halfOut(): Promise<string> {
    const texts = [textOf("One."), textOf("Two."), REFUSED];
    const id = await stack.plan({ texts });
    await stack.start();
    await stack.reaches(id, "partial");
    return id;
  }

  test("takes a published thread away, its last part first, and tells of it", async () => {
    const id = await published(["One.", "Two.", "Three."]);

    await remove(id);

    const delivery = await stack.reaches(id, "removed");
    const ids = delivery.receipts.map(({ remoteId }) => remoteId);
    expect(removedIds).toEqual(ids.toReversed());
    expect(stack.posts().map(({ removed }) => removed)).toEqual([true, true, true]);
    expect(await removals(id)).toEqual([2, 1, 0].map((part) => ({ part, outcome: "removed" })));
    expect(delivery.receipts.every(({ removedAt }) => removedAt !== null)).toBe(true);
    expect(await eventsOf(id)).toContain("delivery.removed");
    const nothingToDo = { nextAt: null, removeAt: null, engagementAt: null, readBackAt: null };
    expect(await stack.row(id)).toMatchObject(nothingToDo);
  });

  test("takes away what is out of a thread that a person does not want to go on", async () => {
    const id = await halfOut();

    await resolveDelivery(stack.context, stack.actor, {
      deliveryId: id,
      word: { outcome: "remove" },
    });

    await stack.reaches(id, "removed");
    expect(stack.posts().map(({ text, removed }) => [text, removed])).toEqual([
      [textOf("One."), true],
      [textOf("Two."), true],
    ]);
  });

  test("is not stopped by a hold", async () => {
    const id = await published(["Stopped by nobody."]);
    await startHold(stack.context, stack.actor, {
      scope: { kind: "channels", channelIds: [stack.channel.id] },
      reason: "Everything about this is wrong",
      endsAt: null,
    });

    await remove(id);

    await stack.reaches(id, "removed");
    expect(stack.posts()).toMatchObject([{ removed: true }]);
  });

  test("goes on where a worker was killed between the platform's answer and its own note", async () => {
    const id = await published(["One.", "Two."]);
    await stack.stopWorkers();
    await remove(id);
    const [, second] = (await stack.find(id)).receipts;
    await stack.context.fetch(`${stack.simulator.url}/api/posts/${second?.remoteId}`, {
      method: "DELETE",
      headers: await signedIn(),
    });
    expect(stack.posts().map(({ removed }) => removed)).toEqual([false, true]);
    removedIds = [];

    await stack.start();

    const { receipts } = await stack.reaches(id, "removed");
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

    await stack.stopWorkers();
    expect(await removals(id)).toEqual([{ part: 1, outcome: "removed" }]);
    interfere = () => Promise.resolve(null);
    await stack.start();

    await stack.reaches(id, "removed");
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

    const waiting = await failsToRemove(id);
    expect(waiting).toMatchObject({ state: "published", removalError: { kind: "unavailable" } });
    expect(waiting.removeAt?.getTime()).toBeGreaterThan(noon.getTime());
    await stack.setClock(minutesAfterNoon(2));
    await eventually(
      () => removals(id),
      (rows) => rows.length === 2,
    );
    await stack.setClock(minutesAfterNoon(10));

    const done = await stack.reaches(id, "removed");
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

    const waiting = await failsToRemove(id);
    expect(waiting).toMatchObject({
      state: "published",
      removeAt: null,
      removalError: { platformMessage: "No." },
    });
    expect(await eventsOf(id)).toContain("delivery.removal_failed");
    interfere = () => Promise.resolve(null);
    await remove(id);

    await stack.reaches(id, "removed");
    expect(stack.posts()).toMatchObject([{ removed: true }]);
  });

  test("goes on by itself when the channel has been signed in again", async () => {
    const id = await published(["Signed out."]);
    stack.simulator.expireTokens(stack.account, { forGood: true });

    await remove(id);

    const waiting = await failsToRemove(id);
    expect(waiting).toMatchObject({ removeAt: null, removalError: { kind: "reauthorize" } });
    const told = await stack.db
      .selectFrom("notices")
      .select("kind")
      .where("subjectId", "in", [id, stack.channel.id])
      .orderBy("kind")
      .execute();
    expect(told).toEqual([
      { kind: "channel.needs_attention" },
      { kind: "delivery.removal_failed" },
    ]);
    const connection = await signIn();
    await updateChannel(stack.context, stack.actor, { channelId: stack.channel.id, connection });

    await stack.reaches(id, "removed");
    expect(stack.posts()).toMatchObject([{ removed: true }]);
  });

  test("takes away a part, too, of which the answer came only then", async () => {
    const id = await halfOut();
    await stack.stopWorkers();
    const { receipts } = await stack.find(id);
    await remove(id);
    const attemptId = await anOpenAttempt(stack.context, id, 2);
    const { contentHash } = await stack.row(id);
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

    await stack.start();

    await stack.reaches(id, "removed");
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
      stack.simulator.account(stack.account),
    );
    // Test channels are apart although they may share an account.
    return { ...connection, remoteAccountId: `${connection.remoteAccountId} ${stack.channel.id}` };
  }
  async function signedIn(): Promise<Record<string, string>> {
    const { sealer } = stack.context;
    const row = await stack.db
      .selectFrom("channels")
      .select("sealedCredentials")
      .where("id", "=", stack.channel.id)
      .executeTakeFirstOrThrow();
    const opened = sealer.open(row.sealedCredentials, `channels/${stack.channel.id}/credentials`);
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
