import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { connectorOf } from "../../shared/commands/channel-calls.ts";
import { removeChannel } from "../../shared/commands/remove-channel.ts";
import type { Simulator } from "../../shared/connectors/simulator.ts";
import type { DeliveryView } from "../../shared/contract/delivery.ts";
import { wake } from "../../shared/db/outbox.ts";
import { recordReadBacks } from "../../shared/db/read-backs.ts";
import { contentHash } from "../../shared/domain/content.ts";
import type { RunningWorker } from "../../worker/worker.ts";
import { startApi, type ApiClient, type TestApi } from "../support/api-client.ts";
import { aDelivery, anOpenAttempt } from "../support/builders.ts";
import type { TestContext } from "../support/context.ts";
import {
  aConnectedChannel,
  contextWith,
  eventually,
  startSimulatorOf,
  startWorkers,
} from "../support/publishing.ts";

const noon = new Date("2027-02-05T12:00:00Z");
const anHourLater = new Date("2027-02-05T13:00:00Z");
const aDayLater = new Date("2027-02-06T12:00:00Z");

let simulator: Simulator;
let setup: TestContext;
let api: TestApi;
let admin: ApiClient;
let channel: { id: string; platform: string };
let workers: readonly RunningWorker[] = [];
let count = 0;

beforeAll(async () => {
  simulator = await startSimulatorOf("x", { now: () => setup.context.now() });
  setup = await contextWith({ x: simulator }, { POSTWELL_QUEUE: "direct" });
  api = await startApi(setup.context);
});

beforeEach(async () => {
  await setup.setClock(noon, { frozen: true });
  admin = await api.signIn();
  count += 1;
  channel = await aConnectedChannel(setup, admin.actor, "x", simulator.account(`a${count}`));
});

afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  workers = [];
});

afterAll(async () => {
  await api.close();
  await setup.close();
  await simulator.close();
});

/** A delivery that was published at noon, whose receipt names this post; to be checked at once. */
async function published(remoteId: string, isDue = true): Promise<string> {
  const text = "Know your numbers";
  const { id } = await aDelivery(setup.context, admin.actor, channel, {
    state: "published",
    dueAt: noon,
    content: { parts: [{ text, mediaIds: [] }] },
  });
  const receipt = { deliveryId: id, part: 0, remoteId, permalink: null, publishedAt: noon };
  await setup.db
    .insertInto("receipts")
    .values({ ...receipt, contentHash: "", knownBy: "person" })
    .execute();
  if (!isDue) return id;
  await setup.db
    .updateTable("deliveries")
    .set({ readBackAt: noon, contentHash: contentHash([{ text, media: [] }], null) })
    .where("id", "=", id)
    .execute();
  const { id: subjectId, platform: lane } = channel;
  await setup.db
    .transaction()
    .execute((tx) => wake(tx, [{ job: "check-receipts", lane, subjectId, runAt: noon }]));
  return id;
}

const read = async (id: string) => (await admin.get<DeliveryView>(`/deliveries/${id}`)).body;
const verdictsOf = async (id: string) =>
  (await read(id)).readBacks.map(({ verdict, reason }) => [verdict, reason]);
const plannedFor = async (id: string) => {
  const row = setup.db.selectFrom("deliveries").select("readBackAt").where("id", "=", id);
  return (await row.executeTakeFirstOrThrow()).readBackAt;
};

describe("a check", () => {
  test("of an id that no post can have does not spoil those of the others", async () => {
    const absent = await published("1000000000000000000");
    const nonsense = await published("what-a-person-typed");
    await setup.setClock(anHourLater, { frozen: true });

    workers = await startWorkers(setup);
    await eventually(
      async () => [await read(absent), await read(nonsense)],
      (seen) => seen.every(({ readBacks }) => readBacks.length === 1),
    );

    expect(await verdictsOf(absent)).toEqual([["missing", null]]);
    expect(await verdictsOf(nonsense)).toEqual([["unreadable", "bug"]]);
    expect(await plannedFor(absent)).toEqual(aDayLater);
  });

  test("is not made on a platform that shows nothing", async () => {
    const id = await published("1000000000000000000");
    const blind = { ...connectorOf(setup.context, channel.platform) };
    delete blind.readBack;
    const connectors = new Map([[channel.platform, blind]]);

    workers = await startWorkers({ ...setup, context: { ...setup.context, connectors } });
    await eventually(
      () => plannedFor(id),
      (at) => at === null,
    );

    expect((await read(id)).readBacks).toEqual([]);
  });

  test("is planned for what a person says is published", async () => {
    const { id } = await aDelivery(setup.context, admin.actor, channel, { state: "unknown" });
    await anOpenAttempt(setup.context, id);

    const permalink = "https://x.com/heart/status/1000000000000000000";
    await admin.post(`/deliveries/${id}/resolve`, { outcome: "published", permalink });

    const runAt = new Date(noon.getTime() + 60_000);
    expect(await plannedFor(id)).toEqual(runAt);
    const wakes = setup.db.selectFrom("outbox").selectAll().where("subjectId", "=", channel.id);
    expect(await wakes.execute()).toContainEqual(
      expect.objectContaining({ job: "check-receipts", lane: "x", runAt }),
    );
  });

  test("is no longer planned on a channel that was removed", async () => {
    const id = await published("1000000000000000000");

    await removeChannel(setup.context, admin.actor, channel.id);

    expect(await plannedFor(id)).toBeNull();
  });
});

describe("verdicts", () => {
  const record = (deliveryId: string, verdict: "matches" | "differs" | "missing") =>
    recordReadBacks(setup.db, [
      {
        deliveryId,
        verdict,
        differences: verdict === "differs" ? [{ part: 0, what: "text" }] : [],
        reason: null,
        nextAt: null,
      },
    ]);
  const unreadable = (deliveryId: string) =>
    recordReadBacks(setup.db, [
      { deliveryId, verdict: "unreadable", differences: [], reason: "permission", nextAt: null },
    ]);
  const listed = async (query: string) =>
    (await admin.get(`/deliveries?${query}`)).body.items.map(({ id }) => id);

  test("are shown with the delivery, oldest first, and the newest one in the list", async () => {
    const id = await published("1", false);
    expect(await read(id)).toMatchObject({ readBack: null, readBacks: [] });

    await record(id, "matches");
    await setup.setClock(aDayLater, { frozen: true });
    await record(id, "differs");

    const delivery = await read(id);
    expect(delivery.readBack).toBe("differs");
    expect(delivery.readBacks).toEqual([
      { takenAt: noon.toISOString(), verdict: "matches", differences: [], reason: null },
      {
        takenAt: aDayLater.toISOString(),
        verdict: "differs",
        differences: [{ part: 0, what: "text" }],
        reason: null,
      },
    ]);
    const [item] = (await admin.get("/deliveries")).body.items;
    expect(item).toMatchObject({ id, readBack: "differs" });
  });

  test("choose what a list shows", async () => {
    const [fine, changed, gone] = [
      await published("1", false),
      await published("2", false),
      await published("3", false),
    ];
    await published("4", false);
    await record(fine, "matches");
    await record(changed, "differs");
    await record(gone, "missing");

    expect(await listed("readBack=differs,missing")).toEqual([changed, gone]);
    expect(await listed("readBack=matches")).toEqual([fine]);
    expect((await admin.get("/deliveries?readBack=fine")).status).toBe(400);
  });

  test("are not hidden by a later look that failed, and told once", async () => {
    const id = await published("1", false);
    await record(id, "missing");
    await setup.setClock(anHourLater, { frozen: true });
    await unreadable(id);
    await setup.setClock(aDayLater, { frozen: true });
    await record(id, "missing");

    expect(await read(id)).toMatchObject({ readBack: "missing" });
    const events = await setup.db
      .selectFrom("events")
      .select("type")
      .where("subjectId", "=", id)
      .execute();
    expect(events).toEqual([{ type: "delivery.differs" }]);
  });

  test("are only ever added to", async () => {
    const id = await published("1", false);
    await record(id, "missing");

    const change = setup.db
      .updateTable("readBacks")
      .set({ verdict: "matches" })
      .where("deliveryId", "=", id)
      .execute();

    await expect(change).rejects.toThrow(/append-only/);
  });
});
