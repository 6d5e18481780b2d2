import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { startHold } from "../../shared/commands/start-hold.ts";
import type { Simulator } from "../../shared/connectors/simulator.ts";
import type { Actor } from "../../shared/context.ts";
import { leaseSubjects } from "../../shared/db/outbox.ts";
import { findDelivery } from "../../shared/queries/deliveries.ts";
import { openBudgets, type Budgets } from "../../worker/budgets/budgets.ts";
import { watchFence, type FenceWatch } from "../../worker/engine/fence-watch.ts";
import { publishChannelHandler } from "../../worker/jobs/publish-channel.ts";
import { createMeters } from "../../worker/metrics/meters.ts";
import { createBreakers, type Breakers } from "../../worker/publishing/breakers.ts";
import { createLedger, type Ledger } from "../../worker/publishing/ledger.ts";
import { anActor, type TestContext } from "../support/context.ts";
import {
  aConnectedChannel,
  aPlannedDelivery,
  contextWith,
  eventually,
  startSimulatorOf,
} from "../support/publishing.ts";

const noon = new Date("2027-02-05T12:00:00Z");
const WORKER = "a worker at its last look";

/** What happens between the written attempt and the request, where a worker looks one last time. */
describe("the last look before a request", () => {
  let simulator: Simulator;
  let stack: TestContext;
  let actor: Actor;
  let fences: FenceWatch;
  let budgets: Budgets;
  let breakers: Breakers;
  let channel: { id: string; platform: string };
  let deliveryId: string;

  beforeAll(async () => {
    simulator = await startSimulatorOf("sandbox");
    stack = await contextWith({ sandbox: simulator }, { POSTWELL_QUEUE: "direct" });
  });
  beforeEach(async () => {
    await stack.setClock(noon);
    actor = await anActor(stack);
    fences = watchFence(stack.context, WORKER);
    budgets = openBudgets(stack.context);
    breakers = createBreakers(stack.context);
    channel = await aConnectedChannel(stack, actor, "sandbox", simulator.account(`a${Date.now()}`));
    const plan = { texts: [`Once ${channel.id}`], dueAt: noon };
    deliveryId = await aPlannedDelivery(stack, actor, channel, plan);
  });
  afterEach(async () => {
    breakers.stop();
    await budgets.stop();
    await fences.stop();
  });
  afterAll(async () => {
    await stack.close();
    await simulator.close();
  });

  /** Works the channel off; `between` happens once, when the first attempt is written and nothing is sent. */
  async function work(between: (end: () => void) => Promise<void>): Promise<void> {
    const holder = { worker: WORKER, leaseMs: 60_000 };
    const [answer] = await leaseSubjects(stack.db, holder, "publish-channel", [channel.id]);
    if (!answer || !("lease" in answer)) throw new Error("no lease");
    const stopping = new AbortController();
    let isHeld = true;
    let isFirst = true;
    const end = (): void => {
      isHeld = false;
      stopping.abort();
    };
    const meters = createMeters();
    const real = createLedger(stack.context, WORKER, fences, meters);
    const ledger: Ledger = {
      ...real,
      async arm(arming) {
        const isArmed = await real.arm(arming);
        if (isFirst) await between(end);
        isFirst = false;
        return isArmed;
      },
    };
    const { context } = stack;
    const handler = publishChannelHandler({ ledger, fences, budgets, breakers, meters });
    const { lease } = answer;
    await handler({ context, lease, signal: stopping.signal, isSurelyHeld: () => isHeld });
  }
  const find = async () => {
    const delivery = await findDelivery(stack.db, actor.workspaceId, deliveryId);
    return { state: delivery?.state, outcomes: delivery?.attempts.map(({ outcome }) => outcome) };
  };
  const posts = () => simulator.posts().filter(({ text }) => text.endsWith(channel.id));

  test("sends where nothing has happened", async () => {
    await work(() => Promise.resolve());

    expect(await find()).toEqual({ state: "published", outcomes: ["published"] });
    expect(posts()).toHaveLength(1);
  });

  test("sends nothing that a hold has overtaken, and holds it", async () => {
    await work(async () => {
      const scope = { kind: "workspace" } as const;
      const hold = await startHold(stack.context, actor, { scope, reason: "Fire.", endsAt: null });
      await eventually(
        () => Promise.resolve(fences.isCurrent(hold.fence - 1)),
        (isCurrent) => !isCurrent,
      );
    });

    expect(await find()).toEqual({ state: "held", outcomes: ["not_sent"] });
    expect(posts()).toEqual([]);
  });

  test("believes no fence that it cannot confirm for as long as a worker counts as alive", async () => {
    await eventually(
      () => Promise.resolve(fences.isCurrent(Infinity)),
      (isCurrent) => isCurrent,
    );

    await stack.db.transaction().execute(async (tx) => {
      await sql`lock table workers in access exclusive mode`.execute(tx);
      await eventually(
        () => Promise.resolve(fences.isCurrent(Infinity)),
        (isCurrent) => !isCurrent,
      );
    });

    await eventually(
      () => Promise.resolve(fences.isCurrent(Infinity)),
      (isCurrent) => isCurrent,
    );
  });

  test("sends nothing once the lease may have ended, and leaves it to the next worker", async () => {
    await work((end) => Promise.resolve(end()));

    expect(await find()).toEqual({ state: "scheduled", outcomes: ["not_sent"] });
    expect(posts()).toEqual([]);
  });
});
