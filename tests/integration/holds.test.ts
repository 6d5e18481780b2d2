import { expect, test } from "@jest/globals";
import type { HoldView } from "../../shared/contract/hold.ts";
import { confirmFence } from "../../shared/db/holds.ts";
import { minutesAfterNoon, publishingStack } from "../support/publishing-stack.ts";
import { describeInBothModes } from "../support/queue-modes.ts";
import { eventually } from "../support/publishing.ts";

describeInBothModes("holds", (mode) => {
  const stack = publishingStack(mode, { withApi: true });

  const stateOf = async (id: string) => (await stack.row(id)).state;
  const plan = (minutes: number, text = `Planned ${stack.channel.id} ${minutes}`) =>
    stack.plan({ texts: [text], dueAt: minutesAfterNoon(minutes) });
  const stop = (scope: unknown = { kind: "workspace" }, more: object = {}) =>
    stack.client.post<HoldView>("/holds", { scope, reason: "A storm is coming.", ...more });
  const seenHere = () =>
    stack.simulator.posts().filter(({ text }) => text.includes(stack.channel.id));

  test("lets nothing out after its answer, and ending it publishes nothing", async () => {
    await stack.start(2);
    const ids = await Promise.all([1, 2, 3].map((minutes) => plan(minutes)));

    const { status, body: hold } = await stop();
    await stack.setClock(minutesAfterNoon(5));
    for (const id of ids) await stack.reaches(id, "held");
    const ended = await stack.client.post<HoldView>(`/holds/${hold.id}/end`);

    expect({ status, active: hold.active, confirmed: hold.confirmed }).toEqual({
      status: 201,
      active: true,
      confirmed: true,
    });
    expect(ended.body).toMatchObject({ active: false, held: 3, alreadySending: [] });
    const later = await plan(6);
    await stack.setClock(minutesAfterNoon(6));
    await stack.reaches(later, "published");
    expect(seenHere()).toHaveLength(1);
  });

  test("keeps what came due during it even when workers look only after its end", async () => {
    const id = await plan(1);
    const { body: hold } = await stop();
    await stack.setClock(minutesAfterNoon(2));
    await stack.client.post(`/holds/${hold.id}/end`);

    await stack.start();

    await stack.reaches(id, "held");
    expect(seenHere()).toEqual([]);
  });

  test("publishes held deliveries when a person gives them a time", async () => {
    await stack.start();
    const id = await plan(0);
    await stack.reaches(id, "published");
    const { body: hold } = await stop();
    const held = await plan(1);
    await stack.setClock(minutesAfterNoon(1));
    await stack.reaches(held, "held");

    await stack.client.post(`/holds/${hold.id}/end`);
    await stack.client.post(`/deliveries/${held}/retry`, {});

    await stack.reaches(held, "published");
  });

  test("holds a retry, too, while it lasts", async () => {
    await stack.start();
    await stop();
    const held = await plan(1);
    await stack.setClock(minutesAfterNoon(1));
    await stack.reaches(held, "held");

    await stack.client.post(`/deliveries/${held}/retry`, {});

    await stack.reaches(held, "held");
    expect(seenHere()).toEqual([]);
  });

  test("stops one channel and leaves the others alone", async () => {
    const other = await stack.connect();
    await stack.start();
    await stop({ kind: "channels", channelIds: [other.id] });

    const free = await plan(1);
    const held = await stack.plan({ on: other, texts: ["Held"], dueAt: minutesAfterNoon(1) });
    await stack.setClock(minutesAfterNoon(1));

    await stack.reaches(free, "published");
    await stack.reaches(held, "held");
  });

  test.each([
    ["campaign", { campaign: "Heart Month" }],
    ["label", { labels: ["recipes"] }],
  ] as const)("stops by %s", async (kind, mark) => {
    await stack.start();
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

    await stack.reaches(marked, "held");
    await stack.reaches(free, "published");
  });

  test.each(["must wait", "needs a person"])(
    "holds what comes due on a channel that %s, when its time comes",
    async (why) => {
      await stack.start();
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
      await stack.db
        .updateTable("channels")
        .set(change)
        .where("id", "=", stack.channel.id)
        .execute();
      const id = await plan(2);
      await stop();
      expect(await stateOf(id)).toBe("scheduled");

      await stack.setClock(minutesAfterNoon(2));

      await stack.reaches(id, "held");
      const notices = stack.db.selectFrom("notices").select("kind").where("subjectId", "=", id);
      expect(await notices.execute()).toContainEqual({ kind: "delivery.held" });
    },
  );

  test("ends by itself", async () => {
    await stack.start();
    await stop({ kind: "workspace" }, { endsAt: minutesAfterNoon(10).toISOString() });
    const during = await plan(5);
    const after = await plan(11);

    await stack.setClock(minutesAfterNoon(5));
    await stack.reaches(during, "held");
    await stack.setClock(minutesAfterNoon(11));

    await stack.reaches(after, "published");
    expect(await stateOf(during)).toBe("held");
  });

  test("does not reach into another workspace", async () => {
    const stranger = await stack.api.signIn();
    await stack.start();
    const hold = await stranger.post<HoldView>("/holds", {
      scope: { kind: "workspace" },
      reason: "Theirs.",
    });
    const id = await plan(1);

    await stack.setClock(minutesAfterNoon(1));

    await stack.reaches(id, "published");
    expect((await stack.client.get(`/holds/${hold.body.id}`)).status).toBe(404);
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
            .where("workspaceId", "=", stack.actor.workspaceId)
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
    stack.simulator.fault("commit_hang_after_success", 1);
    await stack.start();
    const id = await plan(0);
    await stack.reaches(id, "sending");

    const { body: hold } = await stop();

    expect(hold.alreadySending).toMatchObject([{ deliveryId: id, channelId: stack.channel.id }]);
    stack.simulator.fault("commit_hang_after_success", 0);
  });

  test("names what was armed while it was about to begin", async () => {
    stack.simulator.fault("commit_hang_after_success", 1);
    await stack.start();
    const id = await plan(0);
    await stack.reaches(id, "sending");
    // As if the hold's transaction had begun before, and had waited for the attempt to be written.
    await stack.setClock(minutesAfterNoon(-1));

    const { body: hold } = await stop();

    expect(hold.alreadySending).toMatchObject([{ deliveryId: id, channelId: stack.channel.id }]);
    stack.simulator.fault("commit_hang_after_success", 0);
  });

  test("is repeated under the same key as one hold", async () => {
    const headers = { "Idempotency-Key": `stop ${stack.channel.id}` };
    const body = { scope: { kind: "workspace" }, reason: "Twice pressed." };

    const first = await stack.client.post<HoldView>("/holds", body, headers);
    const second = await stack.client.post<HoldView>("/holds", body, headers);

    expect(second.body.id).toBe(first.body.id);
    expect((await stack.client.get<{ items: unknown[] }>("/holds")).body.items).toHaveLength(1);
  });
});
