import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { editPost } from "../../shared/commands/edit-post.ts";
import { schedulePost } from "../../shared/commands/schedule-post.ts";
import { addMedia, storeImage } from "../../shared/commands/upload-media.ts";
import type { Simulator } from "../../shared/connectors/simulator.ts";
import type { Actor } from "../../shared/context.ts";
import { inTransaction, openDb, type Db } from "../../shared/db/client.ts";
import { createLogger } from "../../shared/logger.ts";
import { startWorker, type RunningWorker } from "../../worker/worker.ts";
import { aPost } from "../support/builders.ts";
import { anActor, type TestContext } from "../support/context.ts";
import { aPicture } from "../support/pictures.ts";
import { startProxy, type Proxy } from "../support/proxy.ts";
import {
  aConnectedChannel,
  aPlannedDelivery,
  contextWith,
  eventually,
  startSimulatorOf,
} from "../support/publishing.ts";

const noon = new Date("2027-02-05T12:00:00Z");
const minutesAfterNoon = (minutes: number) => new Date(noon.getTime() + minutes * 60_000);
const CONNECTIONS = 6;

// Without a queue: what is lost here is lost between the worker and PostgreSQL.
describe("a worker", () => {
  let simulator: Simulator;
  let stack: TestContext;
  let proxy: Proxy;
  /** The worker's way to the database; the test has one of its own. */
  let workersDb: Db;
  let actor: Actor;
  let channel: { id: string; platform: string };
  let text: string;
  let worker: RunningWorker | null = null;
  let count = 0;
  /** What happens between the platform's answer and the worker hearing of it. */
  let onPublished: () => Promise<void> = () => Promise.resolve();

  beforeAll(async () => {
    simulator = await startSimulatorOf("sandbox", { now: () => stack.context.now() });
    stack = await contextWith({ sandbox: simulator }, { POSTWELL_QUEUE: "direct" });
    proxy = await startProxy(stack.url);
    workersDb = openDb(proxy.url, { maxConnections: CONNECTIONS });
    actor = await anActor(stack);
  });
  beforeEach(async () => {
    await stack.setClock(noon);
    count += 1;
    onPublished = () => Promise.resolve();
    channel = await aConnectedChannel(stack, actor, "sandbox", simulator.account(`a${count}`));
    text = `Walk a little ${channel.id}`;
  });
  afterEach(async () => {
    proxy.heal();
    await refuse("nothing", "receipts");
    await refuse("nothing", "attempts");
    await worker?.stop();
    worker = null;
  });
  afterAll(async () => {
    await workersDb.destroy();
    await proxy.close();
    await stack.close();
    await simulator.close();
  });

  function startOne(): void {
    const watched: typeof fetch = async (input, init) => {
      const answer = await stack.context.fetch(input, init);
      if (init?.method === "POST" && answer.ok) await onPublished();
      return answer;
    };
    const log = createLogger("test", "silent");
    const context = { ...stack.context, db: workersDb, fetch: watched, log };
    worker = startWorker({ ...stack, context });
  }
  const planned = () => aPlannedDelivery(stack, actor, channel, { texts: [text], dueAt: noon });
  /** One with an image, due now. */
  async function plannedWithImage(): Promise<string> {
    const image = { filename: "walk.png", contentType: "image/png", altText: "Two people walk." };
    const upload = { ...image, bytes: await aPicture("png") };
    const medium = await addMedia(stack.context, await storeImage(stack.context, actor, upload));
    const parts = [{ text, mediaIds: [medium.id] }];
    const post = await aPost(stack.context, actor, { parts, channelIds: [channel.id] });
    await schedulePost(stack.context, actor, { postId: post.id, at: "now" });
    const ofPost = stack.db.selectFrom("deliveries").select("id").where("postId", "=", post.id);
    return (await ofPost.executeTakeFirstOrThrow()).id;
  }
  const delivery = (id: string) =>
    stack.db.selectFrom("deliveries").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
  const reaches = (id: string, state: string) =>
    eventually(
      () => delivery(id),
      (row) => row.state === state,
      25_000,
    );
  const posts = () => simulator.posts().filter((post) => post.text.endsWith(channel.id));
  const receipts = (deliveryId: string) =>
    stack.db
      .selectFrom("receipts")
      .select("knownBy")
      .where("deliveryId", "=", deliveryId)
      .execute();
  const outcomes = async (deliveryId: string) => {
    const rows = await stack.db
      .selectFrom("attempts")
      .leftJoin("attemptOutcomes", "attemptId", "id")
      .select("outcome")
      .where("deliveryId", "=", deliveryId)
      .orderBy("armedAt")
      .execute();
    return rows.map(({ outcome }) => outcome);
  };
  /** Lets PostgreSQL refuse rows of a table: all, or the first ones, as it does in trouble. */
  async function refuse(what: string, table: string, times = 0): Promise<void> {
    await sql`drop trigger if exists trouble on ${sql.table(table)}`.execute(stack.db);
    if (what === "nothing") return;
    await sql`drop sequence if exists trouble`.execute(stack.db);
    await sql`create sequence trouble`.execute(stack.db);
    await sql`
      create or replace function trouble() returns trigger language plpgsql as $$
      begin
        -- A sequence is not put back with the transaction.
        if ${sql.lit(times)} = 0 or nextval('trouble') <= ${sql.lit(times)} then
          raise exception 'trouble' using errcode = ${sql.lit(what)};
        end if;
        return null;
      end $$`.execute(stack.db);
    await sql`create trigger trouble after insert on ${sql.table(table)}
              for each statement execute function trouble()`.execute(stack.db);
  }

  test("that never hears that its answer was stored stores it once", async () => {
    const id = await planned();
    proxy.loseAnswerTo("insert into receipts");

    startOne();

    await reaches(id, "published");
    await eventually(
      () => outcomes(id),
      (all) => all.length === 1 && all[0] === "published",
    );
    expect(await receipts(id)).toEqual([{ knownBy: "answered" }]);
    expect(posts()).toHaveLength(1);
  });

  test("that never hears that its attempt was written sends nothing before it has looked", async () => {
    const id = await planned();
    proxy.loseAnswerTo("insert into attempts");

    startOne();
    await reaches(id, "unknown");
    expect(posts()).toEqual([]);
    await stack.setClock(minutesAfterNoon(2));

    await reaches(id, "published");
    expect(await outcomes(id)).toEqual(["not_published", "published"]);
    expect(posts()).toHaveLength(1);
  });

  test("fails no post because PostgreSQL was away when its upload was to be noted", async () => {
    const id = await plannedWithImage();
    proxy.loseAnswerTo('set "prepared"');

    startOne();

    await reaches(id, "published");
    expect(await outcomes(id)).toEqual(["published"]);
    expect(posts()).toHaveLength(1);
  });

  test("keeps the platform's answer while PostgreSQL is away", async () => {
    const id = await planned();
    let isBack = false;
    onPublished = () => {
      onPublished = () => Promise.resolve();
      proxy.cut();
      setTimeout(() => {
        isBack = true;
        proxy.heal();
      }, 1_500);
      return Promise.resolve();
    };

    startOne();

    await reaches(id, "published");
    expect(isBack).toBe(true);
    expect(await receipts(id)).toEqual([{ knownBy: "answered" }]);
    expect(posts()).toHaveLength(1);
  });

  test("sends nothing that it cannot write down first, and an alarm is raised", async () => {
    const id = await planned();
    // "No space left on device", as PostgreSQL says it.
    await refuse("53100", "attempts");

    startOne();
    await reaches(id, "preparing");
    await stack.setClock(minutesAfterNoon(3));
    await eventually(
      () => stack.db.selectFrom("overdueAlarms").select("deliveryId").execute(),
      (alarms) => alarms.some((alarm) => alarm.deliveryId === id),
    );
    expect(posts()).toEqual([]);
    expect(await outcomes(id)).toEqual([]);
    await refuse("nothing", "attempts");
    await stack.setClock(minutesAfterNoon(6));

    await reaches(id, "published");
    expect(posts()).toHaveLength(1);
  });

  test("keeps the platform's answer while PostgreSQL's disk is full", async () => {
    const id = await planned();
    await refuse("53100", "receipts", 4);

    startOne();

    await reaches(id, "published");
    expect(await receipts(id)).toEqual([{ knownBy: "answered" }]);
    expect(posts()).toHaveLength(1);
  });

  test.each(["40P01", "40001", "55P03"])(
    "goes on after a deadlock, a conflict or a lock that did not come: %s",
    async (code) => {
      const id = await planned();
      await refuse(code, "attempts", 1);

      startOne();

      await reaches(id, "published");
      expect(posts()).toHaveLength(1);
    },
  );

  test("that claims while somebody edits waits, and sends the new words alone", async () => {
    const id = await planned();
    const { postId } = await delivery(id);
    const edited = `Walk a little more ${channel.id}`;

    await inTransaction(stack.db, async (tx) => {
      await editPost({ ...stack.context, db: tx }, actor, {
        postId,
        changes: { parts: [{ text: edited, mediaIds: [] }] },
        checkVersion: () => undefined,
      });
      startOne();
      await eventually(waitingClaims, (waiting) => waiting > 0);
    });

    await reaches(id, "published");
    expect(posts().map((post) => post.text)).toEqual([edited]);
  });

  test("that gets no connection keeps the platform's answer until it does", async () => {
    const id = await planned();
    let taken: Promise<unknown> = Promise.resolve();
    onPublished = () => {
      onPublished = () => Promise.resolve();
      // Longer than anybody waits for a connection, shorter than the lease lasts.
      const held = Array.from({ length: CONNECTIONS }, () =>
        sql`select pg_sleep(6)`.execute(workersDb),
      );
      taken = Promise.all(held);
      return Promise.resolve();
    };

    startOne();

    await reaches(id, "published");
    await taken;
    expect(await receipts(id)).toEqual([{ knownBy: "answered" }]);
    expect(posts()).toHaveLength(1);
  });

  async function waitingClaims(): Promise<number> {
    const { rows } = await sql<{ count: number }>`
      select count(*) as count from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock'`.execute(stack.db);
    return rows[0]?.count ?? 0;
  }
});
