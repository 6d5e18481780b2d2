import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { sql } from "kysely";
import type { Simulator } from "../../shared/connectors/simulator.ts";
import type { Actor } from "../../shared/context.ts";
import type { DeliveryState } from "../../shared/domain/delivery.ts";
import { repair } from "../../worker/engine/repair.ts";
import type { RunningWorker } from "../../worker/worker.ts";
import { anOpenAttempt, aReceipt } from "../support/builders.ts";
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

describeInBothModes("rows that a hand has put into an impossible state", (mode) => {
  let simulator: Simulator;
  let stack: TestContext;
  let actor: Actor;
  let channel: { id: string; platform: string };
  let workers: readonly RunningWorker[] = [];
  let count = 0;

  beforeAll(async () => {
    await wipeRedis(mode);
    simulator = await startSimulatorOf("sandbox", { now: () => stack.context.now() });
    stack = await contextWith({ sandbox: simulator }, mode.settings);
    actor = await anActor(stack);
  });
  beforeEach(async () => {
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

  const textOf = (text: string) => `${text} ${channel.id}`;
  const posts = () => simulator.posts().filter(({ text }) => text.endsWith(channel.id));
  const find = (id: string) =>
    stack.db.selectFrom("deliveries").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
  const reaches = (id: string, state: DeliveryState) =>
    eventually(
      () => find(id),
      (row) => row.state === state,
    );
  const planned = (options: { texts?: readonly string[]; dueAt?: Date } = {}) =>
    aPlannedDelivery(stack, actor, channel, {
      texts: (options.texts ?? ["Once."]).map(textOf),
      dueAt: options.dueAt ?? noon,
    });
  /** What somebody does in the tables, past all rules. */
  async function edit(id: string, { state, nextAt, publishedAt = null }: Edited): Promise<void> {
    await stack.db
      .updateTable("deliveries")
      .set({ state, nextAt, publishedAt })
      .where("id", "=", id)
      .execute();
  }
  interface Edited {
    readonly state: DeliveryState;
    readonly nextAt: Date | null;
    readonly publishedAt?: Date | null;
  }
  const nothingWasSent = async (id: string) => {
    expect(posts()).toEqual([]);
    const { attempts } = await stack.db
      .selectFrom("attempts")
      .select(({ fn }) => fn.countAll<number>().as("attempts"))
      .where("deliveryId", "=", id)
      .where("worker", "<>", "test")
      .executeTakeFirstOrThrow();
    expect(attempts).toBe(0);
  };
  /** A delivery that the same workers publish afterwards: all that was due before it has had its turn. */
  async function everythingHasHadItsTurn(): Promise<void> {
    const id = await aPlannedDelivery(stack, actor, channel, {
      texts: ["The next in turn."],
      dueAt: minutesAfterNoon(1),
    });
    await stack.setClock(minutesAfterNoon(1));
    await reaches(id, "published");
  }

  test("scheduled without a time to look at it: goes out at its time", async () => {
    const id = await planned();
    await edit(id, { state: "scheduled", nextAt: null });

    workers = await startWorkers(stack);

    await reaches(id, "published");
    expect(posts()).toHaveLength(1);
  });

  test("preparing without one: goes out once", async () => {
    const id = await planned();
    await edit(id, { state: "preparing", nextAt: null });

    workers = await startWorkers(stack, 2);

    await reaches(id, "published");
    expect(posts()).toHaveLength(1);
  });

  test("sending without an attempt: waits for a person, and nothing is sent", async () => {
    for (const nextAt of [noon, null]) {
      const id = await planned();
      await edit(id, { state: "sending", nextAt });
      workers = await startWorkers(stack, 2);

      await reaches(id, "unknown");
      await stack.setClock(minutesAfterNoon(5));
      const waiting = await eventually(
        () => find(id),
        (row) => row.nextAt === null,
      );
      expect(waiting).toMatchObject({
        state: "unknown",
        error: { kind: "unknown_outcome", platformMessage: expect.stringContaining("no record") },
      });
      await nothingWasSent(id);
      await Promise.all(workers.map((worker) => worker.stop()));
      await stack.setClock(noon);
    }
  });

  test("unknown without an open attempt: waits for a person, and nothing is sent", async () => {
    for (const nextAt of [noon, null]) {
      const id = await planned();
      await edit(id, { state: "unknown", nextAt });
      workers = await startWorkers(stack);

      const waiting = await eventually(
        () => find(id),
        (row) => row.error !== null,
      );
      expect(waiting).toMatchObject({
        state: "unknown",
        nextAt: null,
        error: { platformMessage: expect.stringContaining("no record") },
      });
      await nothingWasSent(id);
      await Promise.all(workers.map((worker) => worker.stop()));
    }
  });

  test("unknown that nobody looks for, with an attempt: the platform is asked", async () => {
    const id = await planned();
    await anOpenAttempt(stack.context, id);
    await edit(id, { state: "unknown", nextAt: null });

    workers = await startWorkers(stack);

    // Nothing was prepared, so it cannot be looked for: a person is asked, with words.
    const waiting = await eventually(
      () => find(id),
      (row) => row.tries > 0,
    );
    expect(waiting).toMatchObject({ state: "unknown", error: { kind: "unknown_outcome" } });
    await nothingWasSent(id);
  });

  test("published without a receipt: is not believed, and not sent again", async () => {
    const id = await planned();
    await edit(id, { state: "published", nextAt: null, publishedAt: noon });
    await stack.db
      .updateTable("deliveries")
      .set({ engagementAt: noon, readBackAt: noon })
      .where("id", "=", id)
      .execute();

    workers = await startWorkers(stack);

    expect(await reaches(id, "unknown")).toMatchObject({
      nextAt: null,
      engagementAt: null,
      readBackAt: null,
      publishedAt: null,
      error: { platformMessage: expect.stringContaining("no receipt") },
    });
    await everythingHasHadItsTurn();
    await nothingWasSent(id);
  });

  test("partly out without a receipt: fails with words, and nothing is sent", async () => {
    for (const nextAt of [noon, null]) {
      const id = await planned({ texts: ["One.", "Two."] });
      await edit(id, { state: "partial", nextAt });
      workers = await startWorkers(stack);

      expect(await reaches(id, "failed")).toMatchObject({
        nextAt: null,
        error: { kind: "bug", platformMessage: expect.stringContaining("no receipt") },
      });
      await nothingWasSent(id);
      await Promise.all(workers.map((worker) => worker.stop()));
    }
  });

  test("partly out with an answer missing, and nobody looking: the platform is asked first", async () => {
    const id = await planned({ texts: ["One.", "Two."] });
    await aReceipt(stack.context, id);
    await anOpenAttempt(stack.context, id, 1);
    await edit(id, { state: "partial", nextAt: null });

    workers = await startWorkers(stack);

    await reaches(id, "unknown");
    await nothingWasSent(id);
  });

  test.each(["failed", "held", "missed", "expired", "cancelled"] as const)(
    "%s with a time: stays what it is, and keeps nobody from the others",
    async (state) => {
      const id = await planned();
      await edit(id, { state, nextAt: noon });

      workers = await startWorkers(stack);

      const left = await eventually(
        () => find(id),
        (row) => row.nextAt === null,
      );
      expect(left.state).toBe(state);
      await everythingHasHadItsTurn();
      await nothingWasSent(id);
    },
  );

  test.each(["scheduled", "failed", "held", "missed", "expired", "cancelled"] as const)(
    "%s although a part is out: is refused by the database, which says why",
    async (state) => {
      const id = await planned({ texts: ["One.", "Two."] });
      await aReceipt(stack.context, id);
      await edit(id, { state: "partial", nextAt: null });

      const edited = edit(id, { state, nextAt: noon });

      await expect(edited).rejects.toThrow(`Parts of delivery ${id} are out`);
      expect((await find(id)).state).toBe("partial");
    },
  );

  test("a channel that nobody would be woken for is woken", async () => {
    const gone = await planned({ texts: ["Its row was deleted."] });
    await stack.db.deleteFrom("outbox").where("subjectId", "=", channel.id).execute();

    workers = await startWorkers(stack);

    await reaches(gone, "published");
  });

  test("a channel that would be woken far too late is woken in time", async () => {
    const id = await planned();
    await stack.db
      .updateTable("outbox")
      .set({ runAt: new Date("2999-01-01T00:00:00Z") })
      .where("subjectId", "=", channel.id)
      .execute();

    workers = await startWorkers(stack);

    await reaches(id, "published");
  });

  test("many repairs at once do each thing once, and nothing where all is well", async () => {
    const well = await planned({ dueAt: minutesAfterNoon(60) });
    const broken = await planned({ texts: ["Broken."], dueAt: minutesAfterNoon(60) });
    await edit(broken, { state: "scheduled", nextAt: null });
    const before = await find(well);

    await Promise.all(Array.from({ length: 4 }, () => repair(stack.context)));
    await repair(stack.context);

    expect(await find(broken)).toMatchObject({ version: 2, nextAt: minutesAfterNoon(60) });
    expect(await find(well)).toEqual(before);
    const { rows } = await sql<{ type: string }>`
      select type from events where subject_id = ${broken}`.execute(stack.db);
    expect(rows).toEqual([{ type: "delivery.updated" }]);
  });
});
