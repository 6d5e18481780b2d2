import { expect, test } from "@jest/globals";
import { sql } from "kysely";
import type { DeliveryState } from "../../shared/domain/delivery.ts";
import { repair } from "../../worker/engine/repair.ts";
import { anOpenAttempt, aReceipt } from "../support/builders.ts";
import { minutesAfterNoon, noon, publishingStack } from "../support/publishing-stack.ts";
import { eventually } from "../support/publishing.ts";
import { describeInBothModes } from "../support/queue-modes.ts";

describeInBothModes("rows that a hand has put into an impossible state", (mode) => {
  const stack = publishingStack(mode);

  const textOf = (text: string) => `${text} ${stack.channel.id}`;
  const planned = (options: { texts?: readonly string[]; dueAt?: Date } = {}) =>
    stack.plan({
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
    expect(stack.posts()).toEqual([]);
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
    const id = await stack.plan({
      texts: ["The next in turn."],
      dueAt: minutesAfterNoon(1),
    });
    await stack.setClock(minutesAfterNoon(1));
    await stack.reaches(id, "published");
  }

  test("scheduled without a time to look at it: goes out at its time", async () => {
    const id = await planned();
    await edit(id, { state: "scheduled", nextAt: null });

    await stack.start();

    await stack.reaches(id, "published");
    expect(stack.posts()).toHaveLength(1);
  });

  test("preparing without one: goes out once", async () => {
    const id = await planned();
    await edit(id, { state: "preparing", nextAt: null });

    await stack.start(2);

    await stack.reaches(id, "published");
    expect(stack.posts()).toHaveLength(1);
  });

  test("sending without an attempt: waits for a person, and nothing is sent", async () => {
    for (const nextAt of [noon, null]) {
      const id = await planned();
      await edit(id, { state: "sending", nextAt });
      await stack.start(2);

      await stack.reaches(id, "unknown");
      await stack.setClock(minutesAfterNoon(5));
      const waiting = await eventually(
        () => stack.find(id),
        (row) => row.nextAt === null,
      );
      expect(waiting).toMatchObject({
        state: "unknown",
        error: { kind: "unknown_outcome", platformMessage: expect.stringContaining("no record") },
      });
      await nothingWasSent(id);
      await stack.stopWorkers();
      await stack.setClock(noon);
    }
  });

  test("unknown without an open attempt: waits for a person, and nothing is sent", async () => {
    for (const nextAt of [noon, null]) {
      const id = await planned();
      await edit(id, { state: "unknown", nextAt });
      await stack.start();

      const waiting = await eventually(
        () => stack.find(id),
        (row) => row.error !== null,
      );
      expect(waiting).toMatchObject({
        state: "unknown",
        nextAt: null,
        error: { platformMessage: expect.stringContaining("no record") },
      });
      await nothingWasSent(id);
      await stack.stopWorkers();
    }
  });

  test("unknown that nobody looks for, with an attempt: the platform is asked", async () => {
    const id = await planned();
    await anOpenAttempt(stack.context, id);
    await edit(id, { state: "unknown", nextAt: null });

    await stack.start();

    // Nothing was prepared, so it cannot be looked for: a person is asked, with words.
    const waiting = await eventually(
      () => stack.row(id),
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

    await stack.start();

    await stack.reaches(id, "unknown");
    expect(await stack.row(id)).toMatchObject({
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
      await stack.start();

      expect(await stack.reaches(id, "failed")).toMatchObject({
        nextAt: null,
        error: { kind: "bug", platformMessage: expect.stringContaining("no receipt") },
      });
      await nothingWasSent(id);
      await stack.stopWorkers();
    }
  });

  test("partly out with an answer missing, and nobody looking: the platform is asked first", async () => {
    const id = await planned({ texts: ["One.", "Two."] });
    await aReceipt(stack.context, id);
    await anOpenAttempt(stack.context, id, 1);
    await edit(id, { state: "partial", nextAt: null });

    await stack.start();

    await stack.reaches(id, "unknown");
    await nothingWasSent(id);
  });

  test.each(["failed", "held", "missed", "expired", "cancelled"] as const)(
    "%s with a time: stays what it is, and keeps nobody from the others",
    async (state) => {
      const id = await planned();
      await edit(id, { state, nextAt: noon });

      await stack.start();

      const left = await eventually(
        () => stack.find(id),
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
      expect((await stack.find(id)).state).toBe("partial");
    },
  );

  test("a channel that nobody would be woken for is woken", async () => {
    const gone = await planned({ texts: ["Its row was deleted."] });
    await stack.db.deleteFrom("outbox").where("subjectId", "=", stack.channel.id).execute();

    await stack.start();

    await stack.reaches(gone, "published");
  });

  test("a channel that would be woken far too late is woken in time", async () => {
    const id = await planned();
    await stack.db
      .updateTable("outbox")
      .set({ runAt: new Date("2999-01-01T00:00:00Z") })
      .where("subjectId", "=", stack.channel.id)
      .execute();

    await stack.start();

    await stack.reaches(id, "published");
  });

  test("many repairs at once do each thing once, and nothing where all is well", async () => {
    const well = await planned({ dueAt: minutesAfterNoon(60) });
    const broken = await planned({ texts: ["Broken."], dueAt: minutesAfterNoon(60) });
    await edit(broken, { state: "scheduled", nextAt: null });
    const before = await stack.row(well);

    await Promise.all(Array.from({ length: 4 }, () => repair(stack.context)));
    await repair(stack.context);

    expect(await stack.find(broken)).toMatchObject({ version: 2, nextAt: minutesAfterNoon(60) });
    expect(await stack.row(well)).toEqual(before);
    const { rows } = await sql<{ type: string }>`
      select type from events where subject_id = ${broken}`.execute(stack.db);
    expect(rows).toEqual([{ type: "delivery.updated" }]);
  });
});
