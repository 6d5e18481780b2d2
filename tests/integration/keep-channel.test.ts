import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { checkChannel, storeCheck } from "../../shared/commands/check-channel.ts";
import { onChannel } from "../../shared/commands/on-channel.ts";
import { startSimulator, type XSimulator } from "../../shared/connectors/x/simulator.ts";
import { openContext, type Actor, type OpenContext } from "../../shared/context.ts";
import { flagChannel } from "../../shared/db/channel-health.ts";
import { createLogger } from "../../shared/logger.ts";
import { startWorker, type RunningWorker } from "../../worker/worker.ts";
import { anActor, type TestContext } from "../support/context.ts";
import { aPlannedDelivery, contextWith, eventually, startWorkers } from "../support/publishing.ts";
import { describeInBothModes, wipeRedis } from "../support/queue-modes.ts";
import { aKeptChannel, readChannel } from "../support/signed-in.ts";

const noon = new Date("2027-02-05T12:00:00Z");
const after = (minutes: number) => new Date(noon.getTime() + minutes * 60_000);
const minutesAfterNoon = (time: Date | null) =>
  time && Math.round((time.getTime() - noon.getTime()) / 60_000);

describeInBothModes("keeping a channel", (mode) => {
  let x: XSimulator;
  let stack: TestContext;
  let actor: Actor;
  let account: string;
  let channel: { id: string; platform: string };
  let workers: RunningWorker[] = [];

  beforeAll(async () => {
    await wipeRedis(mode);
    x = await startSimulator({ now: () => stack.context.now() });
    x.detectReuse();
    stack = await contextWith({ x }, mode.settings);
    actor = await anActor(stack);
  });
  beforeEach(async () => {
    await stack.setClock(noon);
    account = `heart${Math.floor(Math.random() * 1e9)}`;
    channel = await aKeptChannel(stack.context, actor, "x", x.account(account));
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    workers = [];
    // Otherwise the workers of the next test look after this channel, too.
    const idle = { checkAt: null, renewAt: null, attention: null, state: "connected" } as const;
    await stack.db.updateTable("channels").set(idle).execute();
  });
  afterAll(async () => {
    await stack.close();
    await x.close();
  });

  const kept = () => readChannel(stack.context, channel.id);
  const renewals = () => x.requests().filter((request) => request.endsWith("/oauth2/token")).length;
  const published = () => x.posts().filter((post) => post.account === account);
  const planned = (text: string, dueAt = noon) =>
    aPlannedDelivery(stack, actor, channel, { texts: [`${text} ${channel.id}`], dueAt });
  const delivery = (id: string) =>
    stack.db.selectFrom("deliveries").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
  const reaches = (id: string, state: string) =>
    eventually(
      () => delivery(id),
      (row) => row.state === state,
    );
  const isRenewed = () => eventually(kept, (row) => row.credentialsVersion > 1);
  const needsPerson = () => eventually(kept, (row) => row.attention !== null);
  const check = (context = stack.context) =>
    readChannel(context, channel.id).then((row) =>
      onChannel(context, row, AbortSignal.timeout(20_000), (connector, call) =>
        connector.check(call),
      ),
    );

  test("renews a sign-in when a fifth of its life is left, with no post in sight", async () => {
    const before = renewals();
    workers = await startWorkers(stack, 2);
    const { signInEndsAt, renewAt } = await kept();
    expect(minutesAfterNoon(signInEndsAt)).toBe(120);
    expect(minutesAfterNoon(renewAt)).toBe(96);

    await stack.setClock(after(97));

    const renewed = await isRenewed();
    expect(renewed.signInEndsAt?.getTime()).toBeGreaterThan(after(210).getTime());
    expect(renewals() - before).toBe(1);
    await check();
  });

  test("renews once for twenty posts at the same time, from two processes", async () => {
    const other: OpenContext = await openContext(
      stack.context.config,
      createLogger("test", "silent"),
      "other",
    );
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, index) => planned(`Fact ${index}`)),
    );
    x.expireTokens(account);
    const before = renewals();
    await other.syncClock();

    workers = [...(await startWorkers(stack)), startWorker(other)];
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => check(index % 2 ? other.context : stack.context)),
    );
    for (const id of ids) await reaches(id, "published");

    expect(renewals() - before).toBe(1);
    expect(published()).toHaveLength(20);
    await workers.pop()?.stop();
    await other.close();
  });

  test("stops nothing while the platform cannot renew but the sign-in still works", async () => {
    x.trap("renewal_unavailable", 3);
    workers = await startWorkers(stack);
    const before = renewals();
    await stack.setClock(after(97));
    await eventually(
      () => Promise.resolve(renewals()),
      (count) => count === before + 1,
    );

    const id = await planned("In the meantime.", after(97));
    await reaches(id, "published");

    expect(await kept()).toMatchObject({ state: "connected", credentialsVersion: 1 });
    await stack.setClock(after(103));
    await eventually(
      () => Promise.resolve(renewals()),
      (count) => count === before + 2,
    );
    await stack.setClock(after(109));
    await eventually(
      () => Promise.resolve(renewals()),
      (count) => count === before + 3,
    );
    await stack.setClock(after(115));
    await isRenewed();
  });

  test("takes a platform that cannot renew for away, not for one that refuses", async () => {
    x.expireTokens(account);
    x.trap("renewal_unavailable", 1);
    const id = await planned("A little later.");

    workers = await startWorkers(stack);
    await eventually(
      () => delivery(id),
      (row) => row.error?.kind === "unavailable",
    );

    expect(await kept()).toMatchObject({ state: "connected", attention: null });
    await stack.setClock(after(0.75));
    await reaches(id, "published");
  });

  test("fails a post alone that is refused again on a channel that is well", async () => {
    x.grant(account, ["tweet.read", "users.read"]);
    const id = await planned("Forbidden.");
    workers = await startWorkers(stack);
    expect((await needsPerson()).attention?.kind).toBe("permission");
    expect((await delivery(id)).state).not.toBe("failed");

    await storeCheck(stack.context, actor, await checkChannel(stack.context, actor, channel.id));

    expect((await reaches(id, "failed")).error?.kind).toBe("permission");
    expect((await kept()).attention).toBeNull();
  });

  test("says so when a renewed sign-in was lost on its way", async () => {
    x.trap("renewal_lost", 1);
    workers = await startWorkers(stack);
    await stack.setClock(after(97));
    await eventually(kept, (row) => row.renewalBegunAt !== null && row.renewingUntil === null);
    const id = await planned("The old one still works.", after(97));
    await reaches(id, "published");

    await stack.setClock(after(103));

    expect((await needsPerson()).attention).toMatchObject({
      kind: "reauthorize",
      title: "The channel's sign-in was lost while it was being renewed",
    });
  });

  test("says so when a process died between the renewal and its storing", async () => {
    const { refreshToken } = await credentialsOf();
    await fetch(`${x.url}/2/oauth2/token`, {
      method: "POST",
      body: new URLSearchParams({ grant_type: "refresh_token", refresh_token: refreshToken }),
    });
    await stack.db
      .updateTable("channels")
      .set({ renewingUntil: sql<Date>`now() - interval '1 s'`, renewalBegunAt: noon })
      .where("id", "=", channel.id)
      .execute();
    x.expireTokens(account);
    const id = await planned("Waits.");

    workers = await startWorkers(stack);

    expect((await needsPerson()).attention?.title).toContain("lost while it was being renewed");
    await reaches(id, "scheduled");
  });

  test("keeps a sign-in that works although it can no longer be renewed, and tells of its end", async () => {
    const { accessToken, expiresAt } = await credentialsOf();
    const own = { accessToken, expiresAt };
    const ownActor = await anActor(stack);
    channel = await aKeptChannel(stack.context, ownActor, "x", own);
    const { signInRenews, signInEndsAt } = await kept();
    expect(signInRenews).toBe(false);
    expect(minutesAfterNoon(signInEndsAt)).toBe(120);
    workers = await startWorkers(stack);

    await stack.setClock(after(97));
    const notices = () =>
      stack.db
        .selectFrom("notices")
        .select(["kind", "recipientId"])
        .where("subjectId", "=", channel.id)
        .execute();
    const told = await eventually(notices, (rows) => rows.length > 0);
    expect(told).toEqual([{ kind: "channel.sign_in_ends", recipientId: ownActor.tokenId }]);
    expect((await kept()).state).toBe("connected");
    await stack.setClock(after(121));

    expect((await needsPerson()).attention?.kind).toBe("reauthorize");
  });

  test("asks about the channel every day", async () => {
    const { checkAt } = await kept();
    workers = await startWorkers(stack);
    x.expireTokens(account, { forGood: true });

    await stack.setClock(checkAt ?? noon);

    const row = await needsPerson();
    expect(row.attention).toMatchObject({ kind: "reauthorize" });
    expect((checkAt ?? noon).getTime() - noon.getTime()).toBeLessThanOrEqual(24 * 3_600_000);
  });

  test("lets what waits go out when a look finds the sign-in well again", async () => {
    const id = await planned("Waits for its channel.", after(1));
    const attention = { kind: "reauthorize", title: "The sign-in has ended", detail: "" } as const;
    await flagChannel(stack.db, channel.id, attention, stack.context.now());
    workers = await startWorkers(stack);
    await stack.setClock(after(2));
    expect((await delivery(id)).state).toBe("scheduled");

    await stack.setClock(after(6));

    await reaches(id, "published");
    expect(await kept()).toMatchObject({ state: "connected", attention: null });
  });

  async function credentialsOf(): Promise<{
    accessToken: string;
    refreshToken: string;
    expiresAt: string;
  }> {
    const row = await kept();
    return JSON.parse(
      JSON.stringify(
        stack.context.sealer.open(row.sealedCredentials, `channels/${channel.id}/credentials`),
      ),
    );
  }
});
