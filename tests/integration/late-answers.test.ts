import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { resolveDelivery } from "../../shared/commands/resolve-delivery.ts";
import { startWorker, type RunningWorker } from "../../worker/worker.ts";
import type { TestContext } from "../support/context.ts";
import { minutesAfterNoon, noon, publishingStack } from "../support/publishing-stack.ts";
import { eventually, startWorkers } from "../support/publishing.ts";
import { describeInBothModes } from "../support/queue-modes.ts";

describeInBothModes("a worker that is frozen around its request", (mode) => {
  const stack = publishingStack(mode);
  /** Opened, the frozen request goes on its way. */
  let thaw: () => void;
  let hasFrozen: Promise<void>;
  /** Frozen with the request sent, and its answer unread. */
  let hasSent: boolean;
  /** What becomes of the requests of the frozen worker's successor. */
  let refusesOthers: boolean;
  /** What the platform says to the late request. */
  let answerLate: (answer: Response) => Promise<Response>;
  let freezing: TestContext;
  /** Some of those that run in a test. */
  let workers: RunningWorker[] = [];

  beforeEach(() => {
    refusesOthers = false;
    hasSent = false;
    answerLate = (answer) => Promise.resolve(answer);
    const thawed = new Promise<void>((resolve) => (thaw = resolve));
    let freeze = (): void => {};
    hasFrozen = new Promise((resolve) => (freeze = resolve));
    let isFirst = true;
    const { fetch } = stack.context;
    const fetchWithFreeze: typeof fetch = async (input, init) => {
      if (init?.method !== "POST" || !textOf(init.body).includes(`last ${stack.channel.id}`))
        return fetch(input, init);
      if (!isFirst && refusesOthers) {
        const error = { code: "text_refused", message: "Not now." };
        return Response.json({ error }, { status: 422 });
      }
      if (!isFirst) return fetch(input, init);
      isFirst = false;
      const { signal: _ended, ...late } = init;
      const answer = hasSent ? await fetch(input, late) : null;
      freeze();
      await thawed;
      return answerLate(answer ?? (await fetch(input, late)));
    };
    freezing = stack.withContext({ ...stack.context, fetch: fetchWithFreeze });
  });
  afterEach(async () => {
    thaw();
    await Promise.all(workers.map((worker) => worker.stop()));
    workers = [];
  });

  const decide = (deliveryId: string, outcome: "stop_here" | "remove") =>
    resolveDelivery(stack.context, stack.actor, { deliveryId, word: { outcome } });
  const notices = async (id: string) => {
    const rows = stack.db.selectFrom("notices").select("kind").where("subjectId", "=", id);
    return (await rows.execute()).map(({ kind }) => kind);
  };

  /** Until another worker has taken the channel over: the frozen one cannot renew its lease. */
  async function endLease(): Promise<void> {
    const row = stack.db
      .selectFrom("outbox")
      .select(["fence"])
      .where("job", "=", "publish-channel")
      .where("subjectId", "=", stack.channel.id);
    const before = (await row.executeTakeFirst())?.fence ?? 0;
    const end = async () => {
      await sql`update outbox set leased_until = now() - interval '1 s'
                 where job = 'publish-channel' and subject_id = ${stack.channel.id} and fence = ${before}`.execute(
        stack.db,
      );
      return (await row.executeTakeFirst())?.fence ?? Infinity;
    };
    await eventually(end, (fence) => fence > before);
  }

  /** Its successor has looked for the last part in vain, and gone on with it. */
  async function frozenOver(texts: readonly string[]): Promise<string> {
    const id = await stack.plan({
      texts: texts.map((text) => `${text} ${stack.channel.id}`),
      dueAt: noon,
    });
    workers = [startWorker(freezing)];
    await hasFrozen;
    workers.push(...(await startWorkers(freezing)));
    await endLease();
    await stack.reaches(id, "unknown");
    await stack.setClock(minutesAfterNoon(2));
    return id;
  }

  test("makes no second post where the platform knows a repetition", async () => {
    const id = await frozenOver(["The last"]);
    await stack.reaches(id, "published");

    thaw();
    await Promise.all(workers.map((worker) => worker.stop()));

    expect(stack.posts()).toHaveLength(1);
    expect(await notices(id)).toEqual([]);
    expect(await stack.find(id)).toMatchObject({ state: "published" });
  });

  test("is found out where the platform does not, and people are told", async () => {
    const id = await frozenOver(["The last"]);
    await stack.reaches(id, "published");
    answerLate = async (answer) => {
      const post: unknown = await answer.json();
      return Response.json(
        { ...(typeof post === "object" ? post : {}), id: "0190f000-0000-7000-8000-000000000009" },
        { status: 201 },
      );
    };

    thaw();

    await eventually(
      () => notices(id),
      (kinds) => kinds.includes("delivery.out_twice"),
    );
  });

  test("proves a part that a person had given up: the thread is whole", async () => {
    refusesOthers = true;
    const id = await frozenOver(["The first", "The last"]);
    await eventually(
      () => stack.find(id),
      ({ state, nextAt }) => state === "partial" && nextAt === null,
    );
    await decide(id, "stop_here");

    thaw();

    const whole = await eventually(
      () => stack.find(id),
      ({ receipts }) => receipts.length === 2,
    );
    expect(whole).toMatchObject({ state: "published", isCutShort: false });
    expect(whole.receipts.map(({ remoteId }) => remoteId)).toEqual(
      stack.posts().map(({ remoteId }) => remoteId),
    );
  });

  test("does not leave its part behind when all was taken away meanwhile", async () => {
    refusesOthers = true;
    hasSent = true;
    stack.simulator.fault("read_lags", 10);
    const id = await frozenOver(["The first", "The last"]);
    await eventually(
      () => stack.find(id),
      ({ state, nextAt }) => state === "partial" && nextAt === null,
    );
    stack.simulator.fault("read_lags", 0);
    await decide(id, "remove");
    await stack.reaches(id, "removed");
    expect(stack.posts().map(({ removed }) => removed)).toEqual([true, false]);

    thaw();

    await eventually(
      () => stack.find(id),
      ({ receipts }) => receipts.length === 2 && receipts.every(({ removedAt }) => removedAt),
    );
    expect(stack.posts().map(({ removed }) => removed)).toEqual([true, true]);
    expect(await stack.find(id)).toMatchObject({ state: "removed", removeAt: null });
  });
});

function textOf(body: unknown): string {
  return typeof body === "string" ? body : "";
}
