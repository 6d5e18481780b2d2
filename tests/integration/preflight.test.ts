import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { sql, type Updateable } from "kysely";
import { connectorOf } from "../../shared/commands/channel-calls.ts";
import { schedulePost } from "../../shared/commands/schedule-post.ts";
import { addMedia, storeImage } from "../../shared/commands/upload-media.ts";
import type { DeliveryView } from "../../shared/contract/delivery.ts";
import type { HoldView } from "../../shared/contract/hold.ts";
import type { Tables } from "../../shared/db/tables.ts";
import type { PostContent } from "../../shared/domain/post.ts";
import type { RunningWorker } from "../../worker/worker.ts";
import type { ApiClient } from "../support/api-client.ts";
import { apiStack } from "../support/api-stack.ts";
import { aChannel, aMedium, aPost } from "../support/builders.ts";
import { aPicture } from "../support/pictures.ts";
import { contextWith, eventually, startWorkers } from "../support/publishing.ts";

/** When everything is due: nine in the morning in Chicago. */
const dueAt = new Date("2027-02-05T15:00:00Z");
const before = (minutes: number) => new Date(dueAt.getTime() - minutes * 60_000);
const HOUR = 60;
const DAY = 24 * HOUR;

// One queue mode is enough: hints wake it like every other job, and what it sees is in PostgreSQL alone.
describe("the preflight", () => {
  const open = () => contextWith({}, { POSTWELL_QUEUE: "direct" });
  const stack = apiStack({ open, each: "test" });
  let client: ApiClient;
  let channel: { id: string; platform: string };
  let workers: readonly RunningWorker[] = [];

  beforeEach(async () => {
    await stack.setClock(before(2 * HOUR));
    client = stack.client;
    channel = await aChannel(stack.context, client.actor);
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    workers = [];
    // What a test leaves behind must not become due in the next one.
    await sql`update deliveries set next_at = null, preflight_at = null`.execute(stack.db);
    await sql`delete from platform_health`.execute(stack.db);
  });

  const scheduled = async (
    content: Partial<PostContent> = {},
    local = "2027-02-05T09:00",
  ): Promise<string> => {
    const post = await aPost(stack.context, client.actor, { channelIds: [channel.id], ...content });
    const at = { local, zone: "America/Chicago" };
    await schedulePost(stack.context, client.actor, { postId: post.id, at });
    const row = stack.db.selectFrom("deliveries").select("id").where("postId", "=", post.id);
    return (await row.executeTakeFirstOrThrow()).id;
  };
  const read = async (id: string) => (await client.get<DeliveryView>(`/deliveries/${id}`)).body;
  const codes = ({ preflight }: DeliveryView) =>
    preflight && [preflight.light, ...preflight.reasons.map(({ code }) => code)];
  const turns = async (id: string, ...wanted: string[]) => {
    await eventually(
      async () => codes(await read(id)),
      (seen) => JSON.stringify(seen) === JSON.stringify(wanted),
    );
  };
  const told = async (id: string) => {
    const query = stack.db.selectFrom("events").select("type").where("subjectId", "=", id);
    const rows = await query.orderBy("id").execute();
    return rows.map(({ type }) => type).filter((type) => type !== "delivery.scheduled");
  };
  const noticesOf = async (id: string) => {
    const query = stack.db.selectFrom("notices").select("kind").where("subjectId", "=", id);
    return (await query.execute()).map(({ kind }) => kind);
  };
  const changeChannel = (change: Updateable<Tables["channels"]>) =>
    stack.db.updateTable("channels").set(change).where("id", "=", channel.id).execute();
  const capabilities = () => connectorOf(stack.context, channel.platform).capabilities;

  test("looks a day, an hour and five minutes before the time, and not before or after", async () => {
    await stack.setClock(before(3 * DAY));
    workers = await startWorkers(stack);
    const id = await scheduled();
    const next = async () => {
      const query = stack.db.selectFrom("deliveries").select("preflightAt").where("id", "=", id);
      return (await query.executeTakeFirstOrThrow()).preflightAt;
    };

    const planned = [codes(await read(id)), await next()];
    const looks: (Date | null)[] = [];
    for (const minutes of [DAY, HOUR, 5]) {
      await stack.setClock(before(minutes));
      const { preflight } = await eventually(
        () => read(id),
        (seen) => Date.parse(seen.preflight?.checkedAt ?? "") >= before(minutes).getTime(),
      );
      expect(preflight).toMatchObject({ light: "green", reasons: [] });
      looks.push(await next());
    }

    expect(planned).toEqual([null, before(DAY)]);
    expect(looks).toEqual([before(HOUR), before(5), null]);
    expect(await told(id)).toEqual([]);
  });

  test("looks at once at what is planned for the next day, and never at what goes out now", async () => {
    workers = await startWorkers(stack);

    const id = await scheduled();
    const post = await aPost(stack.context, client.actor, { channelIds: [channel.id] });
    await schedulePost(stack.context, client.actor, { postId: post.id, at: "now" });

    await turns(id, "green");
    const row = stack.db.selectFrom("deliveries").select("preflightAt");
    expect(await row.where("postId", "=", post.id).executeTakeFirstOrThrow()).toEqual({
      preflightAt: null,
    });
  });

  test("turns red for a hold, says so once, and green when the hold has ended", async () => {
    workers = await startWorkers(stack);
    const id = await scheduled();
    await turns(id, "green");

    const scope = { kind: "channels", channelIds: [channel.id] };
    const { body: hold } = await client.post<HoldView>("/holds", { scope, reason: "A storm" });
    await turns(id, "red", "hold.stands_in_the_way");
    await stack.setClock(before(HOUR));
    await eventually(
      () => read(id),
      ({ preflight }) => Date.parse(preflight?.checkedAt ?? "") >= before(HOUR).getTime(),
    );
    await client.post(`/holds/${hold.id}/end`);

    await turns(id, "green");
    expect(await told(id)).toEqual(["delivery.preflight_red", "delivery.preflight_cleared"]);
    expect(await noticesOf(id)).toEqual([]);
  });

  test("notices a hold that ends by itself before the time", async () => {
    workers = await startWorkers(stack);
    const id = await scheduled();
    const endsAt = before(HOUR).toISOString();
    const reason = "Until the storm has passed";
    await client.post("/holds", { scope: { kind: "workspace" }, reason, endsAt });
    await turns(id, "green");
    await client.post("/holds", { scope: { kind: "workspace" }, reason });

    await turns(id, "red", "hold.stands_in_the_way");
  });

  test("turns red when the channel needs a person, and when its sign-in ends too soon", async () => {
    workers = await startWorkers(stack);
    const id = await scheduled();
    await turns(id, "green");

    await changeChannel({ signInEndsAt: before(10) });
    await turns(id, "red", "sign_in.ends");
    const attention = JSON.stringify({ kind: "reauthorize", title: "It has ended", detail: "d" });
    await changeChannel({ attention, state: "needs_attention", signInEndsAt: null });

    await turns(id, "red", "channel.needs_attention");
  });

  test("finds text that the channel no longer takes, and an image without alt text", async () => {
    const upload = {
      filename: "cuff.png",
      contentType: "image/png",
      altText: "",
      bytes: await aPicture("png"),
    };
    const { context } = stack;
    const medium = await addMedia(context, await storeImage(context, client.actor, upload));
    workers = await startWorkers(stack);
    const id = await scheduled({ parts: [{ text: "Know your numbers", mediaIds: [medium.id] }] });
    await turns(id, "amber", "alt_text.missing");

    const { text, ...rest } = capabilities();
    await changeChannel({ capabilities: JSON.stringify({ ...rest, text: { ...text, max: 5 } }) });

    await turns(id, "red", "text.too_long", "alt_text.missing");
  });

  test("misses a file that is gone, and tells whoever wrote the post, once", async () => {
    const medium = await aMedium(stack.context, client.actor);
    workers = await startWorkers(stack);

    const id = await scheduled({ parts: [{ text: "Know your numbers", mediaIds: [medium.id] }] });

    await turns(id, "red", "media.broken");
    await changeChannel({ signInEndsAt: before(-DAY) });
    const rows = stack.db.selectFrom("channels").select("preflightAt").where("id", "=", channel.id);
    await eventually(
      () => rows.execute(),
      ([row]) => row?.preflightAt === null,
    );
    expect(await noticesOf(id)).toEqual(["delivery.preflight_red"]);
    expect(await told(id)).toEqual(["delivery.preflight_red"]);
  });

  test("sees that what would be sent is not what was scheduled", async () => {
    workers = await startWorkers(stack);
    const id = await scheduled();
    await turns(id, "green");

    await sql`update posts set parts = '[{"text":"Changed by hand","mediaIds":[]}]'
               where id = (select post_id from deliveries where id = ${id})`.execute(stack.db);
    await changeChannel({ signInEndsAt: before(-DAY) });

    await turns(id, "red", "content.not_as_scheduled");
  });

  test("knows outages: amber while there is time, green when the platform is back", async () => {
    workers = await startWorkers(stack);
    const id = await scheduled();
    await turns(id, "green");

    await sql`insert into platform_health (platform, host, breaker, retry_at)
              values (${channel.platform}, '', 'open', clock() + interval '5 minutes')`.execute(
      stack.db,
    );
    await turns(id, "amber", "platform.out");
    await sql`update platform_health set breaker = 'closed', retry_at = null`.execute(stack.db);

    await turns(id, "green");
  });

  test("foretells that a budget will be used up, and that posts stand too close", async () => {
    const perMs = HOUR * 60_000;
    const budgets = [{ scope: "channel" as const, limit: 2, perMs }];
    await changeChannel({ capabilities: JSON.stringify({ ...capabilities(), budgets }) });
    const thread = [1, 2].map((part) => ({ text: `Part ${part} of two`, mediaIds: [] }));

    const first = await scheduled({ parts: thread });
    const second = await scheduled({}, "2027-02-05T09:20");
    const third = await scheduled({}, "2027-02-05T09:20");
    workers = await startWorkers(stack);

    await turns(first, "green");
    await turns(second, "red", "budget.used_up", "channel.crowded");
    await turns(third, "red", "budget.used_up", "channel.crowded");
  });

  test("obeys new rules of a time zone, and tells whose post it is", async () => {
    const id = await scheduled();
    const confirmed = await scheduled({}, "2027-02-05T11:00");
    // As the rules of an older edition had it: an hour too early.
    await sql`update deliveries set tzdb = '2001a', preflight_at = null,
                     due_at = due_at - case when id = ${id} then interval '1 hour' else '0' end,
                     next_at = due_at - case when id = ${id} then interval '1 hour' else '0' end,
                     latest_at = latest_at - case when id = ${id} then interval '1 hour' else '0' end
               where id in (${id}, ${confirmed})`.execute(stack.db);
    workers = await startWorkers(stack);

    await turns(id, "green");
    await turns(confirmed, "green");

    const row = (one: string) =>
      stack.db
        .selectFrom("deliveries")
        .select(["dueAt", "nextAt", "latestAt", "tzdb"])
        .where("id", "=", one)
        .executeTakeFirstOrThrow();
    const { tz } = process.versions;
    const latestAt = before(-15);
    expect(await row(id)).toEqual({ dueAt, nextAt: dueAt, latestAt, tzdb: tz });
    expect(await row(confirmed)).toMatchObject({ dueAt: before(-2 * HOUR), tzdb: tz });
    expect(await told(id)).toEqual(["delivery.moved_by_zone_rules"]);
    expect(await told(confirmed)).toEqual([]);
    expect(await noticesOf(id)).toEqual(["delivery.moved_by_zone_rules"]);
  });

  test("leaves plans by newer rules than its own alone", async () => {
    const id = await scheduled();
    await sql`update deliveries set tzdb = '9999z', due_at = due_at - interval '1 hour',
                     next_at = next_at - interval '1 hour' where id = ${id}`.execute(stack.db);
    workers = await startWorkers(stack);

    await turns(id, "green");

    expect(await read(id)).toMatchObject({ dueAt: before(HOUR).toISOString() });
  });

  test("lists what stands in the way, and forgets the forecast once a delivery has begun", async () => {
    workers = await startWorkers(stack);
    const medium = await aMedium(stack.context, client.actor);
    const ill = await scheduled({ parts: [{ text: "Know your numbers", mediaIds: [medium.id] }] });
    const well = await scheduled({}, "2027-02-05T11:00");
    await turns(ill, "red", "media.broken");
    await turns(well, "green");

    const { body } = await client.get("/deliveries?preflight=red,amber");
    await sql`update deliveries set state = 'failed', next_at = null where id = ${ill}`.execute(
      stack.db,
    );

    expect(body.items.map((item) => item.id)).toEqual([ill]);
    expect(codes(await read(ill))).toBeNull();
  });
});
