import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { v7 as uuidv7 } from "uuid";
import type { Simulator } from "../../shared/connectors/simulator.ts";
import type { Actor } from "../../shared/context.ts";
import { arm, claimNext, type Arming, type DueDelivery } from "../../shared/db/deliveries.ts";
import { inTransaction } from "../../shared/db/client.ts";
import { leaseSubjects, releaseLeases, wake } from "../../shared/db/outbox.ts";
import { recordLateAnswer, recordPublished } from "../../shared/db/publications.ts";
import { anActor, type TestContext } from "../support/context.ts";
import {
  aConnectedChannel,
  aPlannedDelivery,
  contextWith,
  startSimulatorOf,
} from "../support/publishing.ts";

const noon = new Date("2027-02-05T12:00:00Z");
const holder = { worker: "test-worker", leaseMs: 10_000 };

describe("the ledger", () => {
  let simulator: Simulator;
  let stack: TestContext;
  let actor: Actor;
  let channelId: string;
  let deliveryId: string;

  beforeAll(async () => {
    simulator = await startSimulatorOf("sandbox");
    stack = await contextWith({ sandbox: simulator }, { POSTWELL_QUEUE: "direct" });
    actor = await anActor(stack);
  });
  beforeEach(async () => {
    await stack.setClock(noon);
    const account = simulator.account(`a${Date.now()}`);
    const channel = await aConnectedChannel(stack, actor, "sandbox", account);
    channelId = channel.id;
    deliveryId = await aPlannedDelivery(stack, actor, channel, { texts: ["Once."], dueAt: noon });
  });
  afterAll(async () => {
    await stack.close();
    await simulator.close();
  });

  const lease = async () => {
    const [answer] = await leaseSubjects(stack.db, holder, "publish-channel", [channelId]);
    if (!answer || !("lease" in answer)) throw new Error("no lease");
    return answer.lease.fence;
  };
  /** As if the worker had been frozen until its lease was over. */
  const endLease = () =>
    stack.db
      .updateTable("outbox")
      .set({ leasedUntil: sql<Date>`now() - interval '1 s'` })
      .where("subjectId", "=", channelId)
      .execute();
  const claim = async (fence: number) => {
    const [found] = await claimNext(stack.db, [{ channelId, fence }]);
    return found ?? null;
  };
  const claimed = async (fence: number) => {
    const found = await claim(fence);
    if (!found?.isClaimed) throw new Error("not claimed");
    return found;
  };
  const arming = (found: DueDelivery, fence: number): Arming => ({
    attemptId: uuidv7(),
    deliveryId,
    version: found.version,
    channelId,
    fence,
    holdFence: found.holdFence,
    part: 0,
    contentHash: found.contentHash,
    idempotencyKey: "key",
    prepared: {},
  });
  const answer = (attempt: Arming) => ({
    attemptId: attempt.attemptId,
    deliveryId,
    part: 0,
    isLast: true,
    remoteId: `remote ${attempt.attemptId}`,
    permalink: null,
    publishedAt: null,
    contentHash: attempt.contentHash,
    reference: null,
    knownBy: "answered" as const,
    firstReadingMs: null,
  });
  const attempts = () =>
    stack.db.selectFrom("attempts").selectAll().where("deliveryId", "=", deliveryId).execute();
  const state = async () => {
    const row = stack.db.selectFrom("deliveries").select("state").where("id", "=", deliveryId);
    return (await row.executeTakeFirstOrThrow()).state;
  };

  test("gives a delivery to one of two who ask in the same statement", async () => {
    const fence = await lease();

    const found = await claimNext(stack.db, [
      { channelId, fence },
      { channelId, fence },
    ]);

    expect(found.filter((one) => one !== null)).toHaveLength(1);
  });

  test("gives nothing to whoever held the channel before", async () => {
    const old = await lease();
    await endLease();
    const current = await lease();

    expect(await claim(old)).toBeNull();
    expect(await claim(current)).toMatchObject({ id: deliveryId, isClaimed: true });
  });

  test("writes one attempt when an old and a new lease arm in the same statement", async () => {
    const old = await lease();
    const before = await claimed(old);
    await endLease();
    const current = await lease();
    const both = [arming(before, old), arming(before, current)];

    const armed = await arm(stack.db, "test-worker", 0, both);

    expect(armed).toEqual([false, true]);
    expect(await attempts()).toHaveLength(1);
  });

  test("arms nothing after a hold that the claim did not know", async () => {
    const fence = await lease();
    const found = await claimed(fence);
    await stack.db
      .updateTable("holdFence")
      .set({ fence: sql<number>`fence + 1` })
      .execute();

    expect(await arm(stack.db, "test-worker", 0, [arming(found, fence)])).toEqual([false]);
  });

  test("arms nothing that was edited after the claim", async () => {
    const fence = await lease();
    const found = await claimed(fence);
    await stack.db
      .updateTable("deliveries")
      .set({ contentHash: "another" })
      .where("id", "=", deliveryId)
      .execute();

    expect(await arm(stack.db, "test-worker", 0, [arming(found, fence)])).toEqual([false]);
  });

  test("arms nothing whose latest time passed while it was prepared", async () => {
    const fence = await lease();
    const found = await claimed(fence);
    await stack.setClock(new Date(found.latestAt.getTime() + 1_000));

    expect(await arm(stack.db, "test-worker", 0, [arming(found, fence)])).toEqual([false]);
    expect(await claim(fence)).toMatchObject({ state: "preparing", isLate: true });
  });

  test("sees a hold that began after the moment of its own claim", async () => {
    await stack.db
      .insertInto("holds")
      .values({
        id: uuidv7(),
        workspaceId: actor.workspaceId,
        channelIds: [channelId],
        reason: "Committed while the claim was being planned.",
        fence: Date.now(),
        startedBy: actor.tokenId,
        startedAt: new Date(noon.getTime() + 60_000),
      })
      .execute();

    expect(await claim(await lease())).toMatchObject({ isHeld: true, isClaimed: false });
  });

  test("never gives the same fence to a channel twice, also when it had nothing to do between", async () => {
    const first = await lease();
    await releaseLeases(stack.db, [
      { job: "publish-channel", subjectId: channelId, fence: first, revision: 1, runAt: null },
    ]);
    await inTransaction(stack.db, (tx) =>
      wake(tx, [{ job: "publish-channel", lane: "sandbox", subjectId: channelId, runAt: noon }]),
    );

    expect(await lease()).toBeGreaterThan(first);
  });

  test("never claims a part whose last attempt has no answer, whatever the state says", async () => {
    const fence = await lease();
    const found = await claimed(fence);
    await arm(stack.db, "test-worker", 0, [arming(found, fence)]);
    await stack.db
      .updateTable("deliveries")
      .set({ state: "scheduled" })
      .where("id", "=", deliveryId)
      .execute();

    expect(await claim(fence)).toMatchObject({ isClaimed: false, openAttempt: { part: 0 } });
  });

  test("takes an answer that comes when the part was about to be sent again", async () => {
    const fence = await lease();
    const attempt = arming(await claimed(fence), fence);
    await arm(stack.db, "test-worker", 0, [attempt]);
    await stack.db
      .updateTable("deliveries")
      .set({ state: "scheduled" })
      .where("id", "=", deliveryId)
      .execute();

    const [version] = await recordPublished(stack.db, [answer(attempt)]);

    expect(version).not.toBeNull();
    expect(await state()).toBe("published");
  });

  test("writes no receipt for a delivery that was cancelled meanwhile", async () => {
    const fence = await lease();
    const attempt = arming(await claimed(fence), fence);
    await arm(stack.db, "test-worker", 0, [attempt]);
    await stack.db
      .updateTable("deliveries")
      .set({ state: "cancelled" })
      .where("id", "=", deliveryId)
      .execute();

    expect(await recordPublished(stack.db, [answer(attempt)])).toEqual([null]);
    const receipts = stack.db
      .selectFrom("receipts")
      .selectAll()
      .where("deliveryId", "=", deliveryId);
    expect(await receipts.execute()).toEqual([]);
  });

  test.each(["cancelled", "held", "missed", "failed"] as const)(
    "tells people of a post that is public although its delivery is %s",
    async (given) => {
      const fence = await lease();
      const attempt = arming(await claimed(fence), fence);
      await arm(stack.db, "test-worker", 0, [attempt]);
      const changed = stack.db.updateTable("deliveries").set({ state: given });
      await changed.where("id", "=", deliveryId).execute();

      expect(await recordLateAnswer(stack.db, answer(attempt))).toBe("out_after_all");
      expect(await recordLateAnswer(stack.db, answer(attempt))).toBe("out_after_all");
      const notices = stack.db.selectFrom("notices").select("kind");
      expect(await notices.where("subjectId", "=", deliveryId).execute()).toEqual([
        { kind: "delivery.out_after_all" },
      ]);
    },
  );

  test.each(["attempts", "attempt_outcomes", "receipts", "snapshots"])(
    "refuses to change or delete %s",
    async (table) => {
      const name = sql.table(table);

      await expect(sql`delete from ${name}`.execute(stack.db)).rejects.toThrow(/append-only/);
    },
  );
});
