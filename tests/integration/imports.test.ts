import { describe, expect, test } from "@jest/globals";
import { readFile, readdir } from "node:fs/promises";
import { apiStack } from "../support/api-stack.ts";
import { aChannel, aMedium } from "../support/builders.ts";
import { HEADER, importing, now, row } from "../support/importing.ts";

const stack = apiStack({ now, scope: "author", each: "test" });
const { imported, posts } = importing(stack);

describe("an import", () => {
  test("makes a planned post of every row, with everything that the row says", async () => {
    const first = await aMedium(stack.context, stack.client.actor, { filename: "cuff.png" });
    const second = await aMedium(stack.context, stack.client.actor, {
      filename: "arm.png",
      altText: "",
    });
    await aChannel(stack.context, stack.client.actor, { name: "Public Health" });
    const file = [
      "ID,Channel,Time,Zone,Text,Parts,Media,Alt_Text,Link,Campaign,Labels,Sources",
      `a-1,heart center|PUBLIC HEALTH,2027-02-01 09:00,America/Chicago,"One, two.","Second part.\n---\nThird part.",cuff.png|2:arm.png,|An arm on a table,https://www.cdc.gov/,Heart Month,sleep|food,CDC <https://www.cdc.gov/>`,
    ].join("\r\n");

    const answer = await imported(file);

    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      rows: 1,
      valid: 1,
      created: 1,
      existing: 0,
      errors: [],
      notices: [],
    });
    const [post] = await posts();
    expect(post).toMatchObject({
      externalId: "a-1",
      state: "scheduled",
      parts: [
        { text: "One, two.", mediaIds: [first.id] },
        { text: "Second part.", mediaIds: [second.id] },
        { text: "Third part.", mediaIds: [] },
      ],
      link: "https://www.cdc.gov/",
      campaign: "Heart Month",
      labels: ["sleep", "food"],
      sources: [{ title: "CDC", url: "https://www.cdc.gov/" }],
    });
    expect(post?.deliveries.map(({ dueAt }) => dueAt)).toEqual([
      "2027-02-01T15:00:00.000Z",
      "2027-02-01T15:00:00.000Z",
    ]);
    const described = await stack.client.get<{ altText: string }>(`/media/${second.id}`);
    expect(described.body.altText).toBe("An arm on a table");
    const woken = await stack.db
      .selectFrom("outbox")
      .select("runAt")
      .where("subjectId", "in", post?.channelIds ?? [])
      .execute();
    expect(woken).toEqual([
      { runAt: new Date("2027-02-01T15:00:00Z") },
      { runAt: new Date("2027-02-01T15:00:00Z") },
    ]);
  });

  test("gives deliveries the hash that editing and sending compute", async () => {
    await imported([HEADER, row("a-1", "Same  words. ")].join("\n"));
    const [post] = await posts();

    const before = await stack.db
      .selectFrom("deliveries")
      .selectAll()
      .where("postId", "=", post?.id ?? "")
      .execute();
    await stack.client.patch(`/posts/${post?.id}`, { parts: [{ text: "Same  words." }] });
    const after = await stack.db
      .selectFrom("deliveries")
      .selectAll()
      .where("postId", "=", post?.id ?? "")
      .execute();

    expect(after).toEqual(before);
    expect((await posts())[0]?.contentHash).toBe(post?.contentHash);
  });

  test("accepts Excel's byte-order mark, semicolons and blank lines", async () => {
    const lines = ["id;channel;time;zone;text", row("a-1"), "", row("a-2"), ";;;;", ""];
    const file = `\uFEFF${lines.map((line) => line.replaceAll(",", ";")).join("\r\n")}`;

    const answer = await imported(file);

    expect(answer.body).toMatchObject({ rows: 2, created: 2, errors: [] });
  });

  test("of the same file again makes no second posts, even when its times have passed", async () => {
    const file = [HEADER, row("a-1"), row("", "Without an id.")].join("\n");
    await imported(file);
    await stack.setClock(new Date("2027-03-01T12:00:00Z"), { frozen: true });

    const again = await imported(file);

    await stack.setClock(now, { frozen: true });
    expect(again.body).toMatchObject({ rows: 2, valid: 2, created: 0, existing: 2, errors: [] });
    expect(await posts()).toHaveLength(2);
  });

  test("of a longer file makes only what is new", async () => {
    await imported([HEADER, row("a-1")].join("\n"));

    const again = await imported([HEADER, row("a-1"), row("a-2")].join("\n"));

    expect(again.body).toMatchObject({ rows: 2, created: 1, existing: 1 });
  });

  test("at the same moment from two people makes each post once", async () => {
    const file = [HEADER, ...Array.from({ length: 30 }, (_, index) => row(`a-${index}`))].join(
      "\n",
    );

    const answers = await Promise.all([imported(file), imported(file)]);

    expect(answers.map(({ body }) => body.created).sort((a, b) => a - b)).toEqual([0, 30]);
    expect(await posts()).toHaveLength(30);
  });

  test("takes the earlier of two equal local times and says so", async () => {
    const answer = await imported([HEADER, row("a-1", "Sleep.", "2027-11-07T01:30")].join("\n"));

    expect(answer.body.notices).toMatchObject([
      { row: 2, column: "time", code: "schedule.time_repeated" },
    ]);
    expect((await posts())[0]?.deliveries[0]?.dueAt).toBe("2027-11-07T06:30:00.000Z");
  });

  test("of 5,000 rows works, and takes seconds", async () => {
    const channel = await aChannel(stack.context, stack.client.actor, { name: "Big" });
    const lines = Array.from({ length: 5_000 }, (_, index) =>
      row(`big-${index}`, `Tip ${index}: move more and sit less.`).replace("Heart Center", "Big"),
    );

    const startedAt = performance.now();
    const answer = await imported([HEADER, ...lines].join("\n"));
    const tookMs = performance.now() - startedAt;

    expect(answer.body).toMatchObject({ rows: 5_000, created: 5_000, errors: [] });
    expect(tookMs).toBeLessThan(30_000);
    const { count } = await stack.db
      .selectFrom("deliveries")
      .select(({ fn }) => fn.countAll<number>().as("count"))
      .where("channelId", "=", channel.id)
      .where("state", "=", "scheduled")
      .executeTakeFirstOrThrow();
    expect(count).toBe(5_000);
  }, 60_000);

  test("makes posts of the example file", async () => {
    for (const name of ["sandbox", "X", "Mastodon", "Bluesky"]) {
      const platform = name.toLowerCase();
      await aChannel(stack.context, stack.client.actor, {
        name: `Heart Center (${name})`,
        platform,
      });
    }
    for (const filename of await readdir("examples/images")) {
      if (filename.endsWith(".png"))
        await aMedium(stack.context, stack.client.actor, { filename, altText: "" });
    }

    const file = new Uint8Array(await readFile("examples/american-heart-month-2027.csv"));
    const first = await imported(file);
    const second = await imported(file);

    expect(first.body).toMatchObject({ errors: [] });
    expect(first.body.created).toBeGreaterThanOrEqual(60);
    expect(second.body).toMatchObject({ created: 0, existing: first.body.created, errors: [] });
  });
});
