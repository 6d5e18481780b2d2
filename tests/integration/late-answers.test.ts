import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { resolveDelivery } from "../../shared/commands/resolve-delivery.ts";
import type { Simulator } from "../../shared/connectors/simulator.ts";
import type { Actor } from "../../shared/context.ts";
import { findDelivery } from "../../shared/queries/deliveries.ts";
import { startWorker, type RunningWorker } from "../../worker/worker.ts";
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

describeInBothModes("a worker that is frozen around its request", (mode) => {
  let simulator: Simulator;
  let stack: TestContext;
  let actor: Actor;
  let channel: { id: string; platform: string };
  let workers: RunningWorker[] = [];
  let count = 0;
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

  beforeAll(async () => {
    await wipeRedis(mode);
    simulator = await startSimulatorOf("sandbox", { now: () => stack.context.now() });
    stack = await contextWith({ sandbox: simulator }, mode.settings);
    actor = await anActor(stack);
  });
  beforeEach(async () => {
    await stack.setClock(noon);
    count += 1;
    channel = await aConnectedChannel(stack, actor, "sandbox", simulator.account(`a${count}`));
    refusesOthers = false;
    hasSent = false;
    answerLate = (answer) => Promise.resolve(answer);
    const thawed = new Promise<void>((resolve) => (thaw = resolve));
    let freeze = (): void => {};
    hasFrozen = new Promise((resolve) => (freeze = resolve));
    let isFirst = true;
    const fetchWithFreeze: typeof fetch = async (input, init) => {
      if (init?.method !== "POST" || !textOf(init.body).includes(`last ${channel.id}`))
        return stack.context.fetch(input, init);
      if (!isFirst && refusesOthers) {
        const error = { code: "text_refused", message: "Not now." };
        return Response.json({ error }, { status: 422 });
      }
      if (!isFirst) return stack.context.fetch(input, init);
      isFirst = false;
      const { signal: _ended, ...late } = init;
      const answer = hasSent ? await stack.context.fetch(input, late) : null;
      freeze();
      await thawed;
      return answerLate(answer ?? (await stack.context.fetch(input, late)));
    };
    freezing = { ...stack, context: { ...stack.context, fetch: fetchWithFreeze } };
  });
  afterEach(async () => {
    thaw();
    await Promise.all(workers.map((worker) => worker.stop()));
    workers = [];
  });
  afterAll(async () => {
    await stack.close();
    await simulator.close();
  });

  const find = async (id: string) => {
    const delivery = await findDelivery(stack.db, actor.workspaceId, id);
    if (!delivery) throw new Error("There is no such delivery");
    return delivery;
  };
  const reaches = (id: string, state: string) =>
    eventually(
      () => find(id),
      (delivery) => delivery.state === state,
    );
  const posts = () => simulator.posts().filter(({ text }) => text.endsWith(channel.id));
  const decide = (deliveryId: string, outcome: "stop_here" | "remove") =>
    resolveDelivery(stack.context, actor, { deliveryId, word: { outcome } });
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
      .where("subjectId", "=", channel.id);
    const before = (await row.executeTakeFirst())?.fence ?? 0;
    const end = async () => {
      await sql`update outbox set leased_until = now() - interval '1 s'
                 where job = 'publish-channel' and subject_id = ${channel.id} and fence = ${before}`.execute(
        stack.db,
      );
      return (await row.executeTakeFirst())?.fence ?? Infinity;
    };
    await eventually(end, (fence) => fence > before);
  }

  /** Its successor has looked for the last part in vain, and gone on with it. */
  async function frozenOver(texts: readonly string[]): Promise<string> {
    const id = await aPlannedDelivery(stack, actor, channel, {
      texts: texts.map((text) => `${text} ${channel.id}`),
      dueAt: noon,
    });
    workers = [startWorker(freezing)];
    await hasFrozen;
    workers.push(...(await startWorkers(freezing)));
    await endLease();
    await reaches(id, "unknown");
    await stack.setClock(minutesAfterNoon(2));
    return id;
  }

  test("makes no second post where the platform knows a repetition", async () => {
    const id = await frozenOver(["The last"]);
    await reaches(id, "published");

    thaw();
    await Promise.all(workers.map((worker) => worker.stop()));

    expect(posts()).toHaveLength(1);
    expect(await notices(id)).toEqual([]);
    expect(await find(id)).toMatchObject({ state: "published" });
  });

  test("is found out where the platform does not, and people are told", async () => {
    const id = await frozenOver(["The last"]);
    await reaches(id, "published");
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
      () => find(id),
      ({ state, nextAt }) => state === "partial" && nextAt === null,
    );
    await decide(id, "stop_here");

    thaw();

    const whole = await eventually(
      () => find(id),
      ({ receipts }) => receipts.length === 2,
    );
    expect(whole).toMatchObject({ state: "published", isCutShort: false });
    expect(whole.receipts.map(({ remoteId }) => remoteId)).toEqual(
      posts().map(({ remoteId }) => remoteId),
    );
  });

  test("does not leave its part behind when all was taken away meanwhile", async () => {
    refusesOthers = true;
    hasSent = true;
    simulator.fault("read_lags", 10);
    const id = await frozenOver(["The first", "The last"]);
    await eventually(
      () => find(id),
      ({ state, nextAt }) => state === "partial" && nextAt === null,
    );
    simulator.fault("read_lags", 0);
    await decide(id, "remove");
    await reaches(id, "removed");
    expect(posts().map(({ removed }) => removed)).toEqual([true, false]);

    thaw();

    await eventually(
      () => find(id),
      ({ receipts }) => receipts.length === 2 && receipts.every(({ removedAt }) => removedAt),
    );
    expect(posts().map(({ removed }) => removed)).toEqual([true, true]);
    expect(await find(id)).toMatchObject({ state: "removed", removeAt: null });
  });
});

function textOf(body: unknown): string {
  return typeof body === "string" ? body : "";
}
