import { describe, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { v7 as uuidv7 } from "uuid";
import type { DeliveryView } from "../../shared/contract/delivery.ts";
import { DELIVERY_STATES } from "../../shared/domain/delivery.ts";
import { statusesOf } from "../support/api-client.ts";
import { apiStack } from "../support/api-stack.ts";
import { aChannel, aDelivery, aReceipt } from "../support/builders.ts";
import {
  dueAt,
  errorOf,
  notPublished,
  now,
  storedDeliveries,
} from "../support/stored-deliveries.ts";

const stack = apiStack({ now, each: "test" });
const deliveries = storedDeliveries(stack);
const { stored, read, wakes } = deliveries;

describe("retrying one", () => {
  test.each(["failed", "missed", "expired", "held"] as const)(
    "gives a %s delivery the present time, a new latest time, and wakes its channel",
    async (state) => {
      const { id } = await stored({ state, error: errorOf("unavailable") });

      const answer = await stack.client.post<DeliveryView>(`/deliveries/${id}/retry`);

      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({
        state: "scheduled",
        version: 2,
        error: null,
        dueAt: now.toISOString(),
        nextAt: now.toISOString(),
        latestAt: "2027-02-05T15:45:00.000Z",
      });
      expect(await wakes()).toMatchObject([{ job: "publish-channel", runAt: now }]);
    },
  );

  test("takes a time and a patience of its own", async () => {
    const { id } = await stored({ state: "failed" });
    const at = { local: "2027-02-06T09:00", zone: "America/Chicago" };

    const answer = await stack.client.post(`/deliveries/${id}/retry`, {
      at,
      latestAfterMinutes: 120,
    });

    expect(answer.body).toMatchObject({
      dueAt: "2027-02-06T15:00:00.000Z",
      latestAt: "2027-02-06T17:00:00.000Z",
      ...at,
    });
  });

  test("of a thread that is partly out goes on with it and keeps it apart from new ones", async () => {
    const { id } = await stored({ state: "partial", error: errorOf("unavailable") }, 2);
    await aReceipt(stack.context, id);

    const answer = await stack.client.post(`/deliveries/${id}/retry`);

    expect(answer.body).toMatchObject({
      state: "partial",
      version: 2,
      error: null,
      nextAt: now.toISOString(),
    });
    expect(await wakes()).toHaveLength(1);
  });

  const others = DELIVERY_STATES.filter(
    (state) => !["failed", "missed", "expired", "held", "partial"].includes(state),
  );
  test.each(others)("is refused when the delivery is %s", async (state) => {
    const { id } = await stored({ state });

    const answer = await stack.client.post(`/deliveries/${id}/retry`);

    expect(answer).toMatchObject({
      status: 409,
      body: { code: "delivery.bad_state", errors: [{ path: "state", state }] },
    });
    expect((await read(id)).version).toBe(1);
  });

  test("is refused when the channel was removed", async () => {
    const { id } = await stored({ state: "failed" });
    await stack.db
      .updateTable("channels")
      .set({ removedAt: now })
      .where("id", "=", deliveries.channel.id)
      .execute();

    expect(await stack.client.post(`/deliveries/${id}/retry`)).toMatchObject({
      status: 409,
      body: { code: "delivery.channel_removed" },
    });
  });

  test("is refused for a time that has passed", async () => {
    const { id } = await stored({ state: "failed" });

    const answer = await stack.client.post(`/deliveries/${id}/retry`, {
      at: { utc: "2027-02-05T15:00:00Z" },
    });

    expect(answer).toMatchObject({ status: 400, body: { code: "post.time_in_past" } });
  });

  test("at the same moment by two people happens once", async () => {
    const { id } = await stored({ state: "failed" });

    const again = () => stack.client.post(`/deliveries/${id}/retry`);
    const answers = await Promise.all([again(), again()]);

    expect(statusesOf(answers)).toEqual([200, 409]);
    expect((await read(id)).version).toBe(2);
  });

  test("is not for authors", async () => {
    const { workspaceId } = stack.client.actor;
    const author = await stack.api.signIn({ scope: "author", workspaceId });
    const { id } = await stored({ state: "failed" });

    for (const answer of [
      await author.post(`/deliveries/${id}/retry`),
      await author.post("/deliveries/retry", {}),
      await author.post(`/deliveries/${id}/resolve`, notPublished("drop")),
    ]) {
      expect(answer).toMatchObject({ status: 403, body: { code: "token.forbidden" } });
    }
    expect((await author.get(`/deliveries/${id}`)).status).toBe(200);
  });
});

describe("retrying many", () => {
  interface Retried {
    retried: number;
    ids: string[];
    skippedIds: string[];
    hasMore: boolean;
  }
  const retry = async (body: object) => {
    const answer = await stack.client.post<Retried>("/deliveries/retry", body);
    expect(answer.status).toBe(200);
    return { ...answer.body, ids: answer.body.ids.sort() };
  };

  test("takes those that failed, and only those, when nothing else is said", async () => {
    const failed = await stored({ state: "failed", error: errorOf("unavailable") });
    const missed = await stored({ state: "missed" });
    const published = await stored({ state: "published" });

    const answer = await retry({});

    expect(answer).toMatchObject({ retried: 1, ids: [failed.id], hasMore: false });
    expect((await read(missed.id)).state).toBe("missed");
    expect((await read(published.id)).state).toBe("published");
  });

  test("can be narrowed by state, channel, kind and time", async () => {
    const elsewhere = await aChannel(stack.context, stack.client.actor);
    const billing = await stored({ state: "failed", error: errorOf("billing") });
    const missed = await stored({ state: "missed" });
    const later = new Date("2027-02-06T15:00:00Z");
    const other = await aDelivery(stack.context, stack.client.actor, elsewhere, {
      state: "failed",
      dueAt: later,
    });

    expect((await retry({ kind: "billing" })).ids).toEqual([billing.id]);
    expect((await retry({ state: "missed", channelId: elsewhere.id })).ids).toEqual([]);
    expect((await retry({ state: ["missed"] })).ids).toEqual([missed.id]);
    expect((await retry({ to: "2027-02-06T00:00:00Z" })).ids).toEqual([]);
    expect((await retry({ from: "2027-02-06T00:00:00Z" })).ids).toEqual([other.id]);
  });

  test("spreads those of a channel by a gap, in the order of their former times", async () => {
    const elsewhere = await aChannel(stack.context, stack.client.actor);
    const at = (minute: number) => new Date(dueAt.getTime() + minute * 60_000);
    const second = await stored({ state: "held", dueAt: at(2) });
    const first = await stored({ state: "held", dueAt: at(1) });
    const third = await stored({ state: "held", dueAt: at(3) });
    const other = await aDelivery(stack.context, stack.client.actor, elsewhere, {
      state: "held",
      dueAt,
    });

    await retry({
      state: "held",
      at: { local: "2027-03-14T01:50", zone: "America/Chicago" },
      gapMinutes: 10,
    });

    const plan = async ({ id }: { id: string }) => {
      const delivery = await read(id);
      return [delivery.dueAt, delivery.local, delivery.latestAt];
    };
    const planned = [
      ["2027-03-14T07:50:00.000Z", "2027-03-14T01:50", "2027-03-14T08:05:00.000Z"],
      // The clocks skip an hour that night.
      ["2027-03-14T08:00:00.000Z", "2027-03-14T03:00", "2027-03-14T08:15:00.000Z"],
      ["2027-03-14T08:10:00.000Z", "2027-03-14T03:10", "2027-03-14T08:25:00.000Z"],
    ];
    expect(await Promise.all([first, second, third].map(plan))).toEqual(planned);
    expect(await plan(other)).toEqual(planned[0]);
  });

  test("by id says which were passed over", async () => {
    const failed = await stored({ state: "failed" });
    const published = await stored({ state: "published" });
    const unknown = uuidv7();

    const answer = await retry({ ids: [failed.id, published.id, unknown] });

    expect(answer.ids).toEqual([failed.id]);
    expect(answer.skippedIds.sort()).toEqual([published.id, unknown].sort());
  });

  test("stops at a thousand and says that there are more", async () => {
    const { postId } = await stored({ state: "cancelled" });
    const rows = Array.from({ length: 1_002 }, () => uuidv7());
    // A delivery needs a post of its own.
    await sql`
      insert into posts (id, workspace_id, state, parts, latest_after_minutes, content_hash, created_by)
      select n, p.workspace_id, p.state, p.parts, 15, p.content_hash, p.created_by
        from posts p cross join unnest(${rows}::uuid[]) n where p.id = ${postId}`.execute(stack.db);
    await stack.db
      .insertInto("deliveries")
      .values(
        rows.map((id) => ({
          id,
          workspaceId: stack.client.actor.workspaceId,
          postId: id,
          channelId: deliveries.channel.id,
          platform: "sandbox",
          state: "failed" as const,
          contentHash: "0".repeat(64),
          dueAt,
          latestAt: dueAt,
        })),
      )
      .execute();

    const first = await retry({});
    const second = await retry({});

    expect(first).toMatchObject({ retried: 1_000, hasMore: true });
    expect(second).toMatchObject({ retried: 2, hasMore: false });
    expect([...first.ids, ...second.ids].sort()).toEqual(rows.sort());
  });
});
