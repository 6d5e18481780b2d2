import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { connectorOf } from "../../shared/commands/channel-calls.ts";
import type { Connector } from "../../shared/connectors/connector.ts";
import { ConnectorError } from "../../shared/connectors/error.ts";
import type { Simulator } from "../../shared/connectors/simulator.ts";
import type { DeliveryEngagementView } from "../../shared/contract/engagement.ts";
import type { RunningWorker } from "../../worker/worker.ts";
import { startApi, type ApiClient, type TestApi } from "../support/api-client.ts";
import { aDelivery } from "../support/builders.ts";
import type { TestContext } from "../support/context.ts";
import {
  aConnectedChannel,
  aPlannedDelivery,
  contextWith,
  eventually,
  startSimulatorOf,
  startWorkers,
} from "../support/publishing.ts";

const noon = new Date("2027-02-05T12:00:00Z");
const anHourLater = new Date("2027-02-05T13:00:00Z");

let simulator: Simulator;
let stack: TestContext;
let api: TestApi;
let admin: ApiClient;
let workers: readonly RunningWorker[] = [];

beforeAll(async () => {
  simulator = await startSimulatorOf("x", { now: () => stack.context.now() });
  stack = await contextWith({ x: simulator }, { POSTWELL_QUEUE: "direct" });
  api = await startApi(stack.context);
  admin = await api.signIn();
});
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
});
afterAll(async () => {
  await api.close();
  await stack.close();
  await simulator.close();
});

test("a post whose counts cannot be asked for says so, and the others are read", async () => {
  await stack.setClock(noon);
  const channel = await aConnectedChannel(stack, admin.actor, "x", simulator.account("heart"));
  const good = await aPlannedDelivery(stack, admin.actor, channel, {
    texts: ["Walk."],
    dueAt: noon,
  });
  // As a person may name a post whose answer was lost.
  const bad = await aDelivery(stack.context, admin.actor, channel, {
    state: "published",
    dueAt: noon,
  });
  await stack.db
    .insertInto("receipts")
    .values({
      deliveryId: bad.id,
      part: 0,
      remoteId: "what-a-person-typed",
      permalink: null,
      publishedAt: noon,
      contentHash: "",
      knownBy: "person",
    })
    .execute();
  const x = connectorOf(stack.context, "x");
  // A platform that refuses a whole request for one id in it.
  const strict: Connector = {
    ...x,
    readEngagement: (ids, call) =>
      ids.includes("what-a-person-typed")
        ? Promise.reject(new ConnectorError("bug"))
        : (x.readEngagement?.(ids, call) ?? Promise.resolve(new Map())),
  };
  const connectors = new Map([["x", strict]]);
  workers = await startWorkers({ ...stack, context: { ...stack.context, connectors } });
  const state = () =>
    stack.db.selectFrom("deliveries").selectAll().where("id", "=", good).executeTakeFirstOrThrow();
  await eventually(state, (row) => row.state === "published");
  const [post] = simulator.posts();
  simulator.engage(post?.remoteId ?? "", { likes: 3 });
  const engagementAt = new Date("2027-02-05T12:15:00Z");
  await stack.db.updateTable("deliveries").set({ engagementAt }).execute();

  await stack.setClock(anHourLater);

  const readings = async (id: string) =>
    (await admin.get<DeliveryEngagementView>(`/deliveries/${id}/engagement`)).body;
  const [read, unread] = await eventually(
    async () => [await readings(good), await readings(bad.id)],
    ([one, other]) => (one?.snapshots.length ?? 0) > 0 && (other?.error ?? null) !== null,
  );
  expect(read).toMatchObject({ snapshots: [{ metrics: { likes: 3 } }], error: null });
  expect(unread).toEqual({ snapshots: [], error: "bug" });
  const { engagementAt: nextAt } = await stack.db
    .selectFrom("deliveries")
    .select("engagementAt")
    .where("id", "=", bad.id)
    .executeTakeFirstOrThrow();
  expect(nextAt?.getTime()).toBeGreaterThan(anHourLater.getTime());
});
