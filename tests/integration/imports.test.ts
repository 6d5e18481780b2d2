import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { readFile, readdir } from "node:fs/promises";
import type { ImportView } from "../../shared/contract/import.ts";
import type { PostView } from "../../shared/contract/post.ts";
import { startApi, type ApiAnswer, type ApiClient, type TestApi } from "../support/api-client.ts";
import { aChannel, aMedium, putDelivery } from "../support/builders.ts";
import { createTestContext, type TestContext } from "../support/context.ts";

let setup: TestContext;
let api: TestApi;
let author: ApiClient;

beforeAll(async () => {
  setup = await createTestContext();
  await setup.setClock(new Date("2027-01-15T12:00:00Z"), { frozen: true });
  api = await startApi(setup.context);
});

beforeEach(async () => {
  author = await api.signIn({ scope: "author" });
  await aChannel(setup.context, author.actor, { name: "Heart Center" });
});

afterAll(async () => {
  await api.close();
  await setup.close();
});

const HEADER = "id,channel,time,zone,text";
const row = (id: string, text = "Know your numbers.", time = "2027-02-01T09:00") =>
  `${id},Heart Center,${time},America/Chicago,${text}`;

interface Refusal {
  readonly code: string;
  readonly errors: readonly { row: number; column: string; code: string; detail: string }[];
}

function send<Body>(file: string | Uint8Array<ArrayBuffer>, query = ""): Promise<ApiAnswer<Body>> {
  const form = new FormData();
  form.set("file", new Blob([file]), "posts.csv");
  return author.post<Body>(`/imports${query}`, form);
}

const imported = (file: string | Uint8Array<ArrayBuffer>) => send<ImportView>(file);
const dryRun = (file: string) => send<ImportView>(file, "?dryRun=true");
const refused = (file: string | Uint8Array<ArrayBuffer>) => send<Refusal>(file);

async function posts(): Promise<PostView[]> {
  const { body } = await author.get<{ items: PostView[] }>("/posts?limit=200");
  return body.items;
}

describe("an import", () => {
  test("makes a planned post of every row, with everything that the row says", async () => {
    const first = await aMedium(setup.context, author.actor, { filename: "cuff.png" });
    const second = await aMedium(setup.context, author.actor, { filename: "arm.png", altText: "" });
    await aChannel(setup.context, author.actor, { name: "Public Health" });
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
    const described = await author.get<{ altText: string }>(`/media/${second.id}`);
    expect(described.body.altText).toBe("An arm on a table");
    const woken = await setup.db
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

    const before = await setup.db
      .selectFrom("deliveries")
      .selectAll()
      .where("postId", "=", post?.id ?? "")
      .execute();
    await author.patch(`/posts/${post?.id}`, { parts: [{ text: "Same  words." }] });
    const after = await setup.db
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
    await setup.setClock(new Date("2027-03-01T12:00:00Z"), { frozen: true });

    const again = await imported(file);

    await setup.setClock(new Date("2027-01-15T12:00:00Z"), { frozen: true });
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
    const channel = await aChannel(setup.context, author.actor, { name: "Big" });
    const lines = Array.from({ length: 5_000 }, (_, index) =>
      row(`big-${index}`, `Tip ${index}: move more and sit less.`).replace("Heart Center", "Big"),
    );

    const startedAt = performance.now();
    const answer = await imported([HEADER, ...lines].join("\n"));
    const tookMs = performance.now() - startedAt;

    expect(answer.body).toMatchObject({ rows: 5_000, created: 5_000, errors: [] });
    expect(tookMs).toBeLessThan(30_000);
    const { count } = await setup.db
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
      await aChannel(setup.context, author.actor, { name: `Heart Center (${name})`, platform });
    }
    for (const filename of await readdir("examples/images")) {
      if (filename.endsWith(".png"))
        await aMedium(setup.context, author.actor, { filename, altText: "" });
    }

    const file = new Uint8Array(await readFile("examples/american-heart-month-2027.csv"));
    const first = await imported(file);
    const second = await imported(file);

    expect(first.body).toMatchObject({ errors: [] });
    expect(first.body.created).toBeGreaterThanOrEqual(60);
    expect(second.body).toMatchObject({ created: 0, existing: first.body.created, errors: [] });
  });
});

describe("errors", () => {
  test("come all at once, by row and column, and nothing is stored", async () => {
    const file = [
      "id,channel,time,zone,text,media,link,sources",
      "a-1,Nowhere,2027-02-01T09:00,America/Chicago,Fine.,,,",
      "a-2,Heart Center,2027-03-14T02:30,America/Chicago,Fine.,,,",
      "a-3,Heart Center,2026-02-01T09:00,America/Chicago,Fine.,,,",
      "a-4,Heart Center,tomorrow,America/Chicago,Fine.,,,",
      "a-5,Heart Center,2027-02-30T09:00,Mars/Base,Fine.,,,",
      `a-6,Heart Center,2027-02-01T09:00,America/Chicago,${"x".repeat(501)},,,`,
      "a-7,Heart Center,2027-02-01T09:00,America/Chicago,,,,",
      "a-8,Heart Center,2027-02-01T09:00,America/Chicago,Fine.,none.png,javascript:alert(1),No address",
      "a-1,,,,Fine.,,,",
      "a-9,Heart Center,2027-02-01T09:00,America/Chicago,Fine.,,,",
    ].join("\n");

    const real = await refused(file);
    const dry = await dryRun(file);

    const expected = [
      [2, "channel", "post.unknown_channel"],
      [3, "time", "schedule.time_skipped"],
      [4, "time", "post.time_in_past"],
      [5, "time", "schedule.bad_time"],
      [6, "zone", "schedule.unknown_zone"],
      [6, "time", "schedule.bad_time"],
      [7, "text", "text.too_long"],
      [8, "text", "part.empty"],
      [9, "link", "import.bad_link"],
      [9, "sources", "import.bad_source"],
      [9, "media", "post.unknown_media"],
      [10, "channel", "import.cell_empty"],
      [10, "time", "import.cell_empty"],
      [10, "zone", "import.cell_empty"],
      [10, "id", "import.row_twice"],
    ];
    const asRows = (errors: Refusal["errors"]) =>
      errors.map((error) => [error.row, error.column, error.code]);
    expect(real).toMatchObject({ status: 400, body: { code: "import.rejected" } });
    expect(asRows(real.body.errors)).toEqual(expected);
    expect(dry.status).toBe(200);
    expect(asRows(dry.body.errors)).toEqual(expected);
    expect(dry.body).toMatchObject({ rows: 10, valid: 1, created: 1, existing: 0 });
    expect(await posts()).toEqual([]);
  });

  test("of a dry run without any store nothing either", async () => {
    const answer = await dryRun([HEADER, row("a-1")].join("\n"));

    expect(answer.body).toMatchObject({ rows: 1, valid: 1, created: 1, errors: [] });
    expect(await posts()).toEqual([]);
  });

  test("name unknown, missing and repeated columns", async () => {
    const answer = await refused("channel,time,zone,Text,text,colour\nHeart Center,,,,,");

    expect(answer.body.errors.map(({ row, column, code }) => [row, column, code])).toEqual([
      [1, "text", "import.column_twice"],
      [1, "colour", "import.unknown_column"],
    ]);
    const missing = await refused("channel,time\n");
    expect(missing.body.errors.map(({ column, code }) => [column, code])).toEqual([
      ["zone", "import.missing_column"],
      ["text", "import.missing_column"],
    ]);
  });

  test("refuse an id with other content, and one that is planned for another time", async () => {
    await imported([HEADER, row("a-1"), row("a-2")].join("\n"));

    const answer = await refused(
      [
        HEADER,
        row("a-1", "Other words."),
        row("a-2", "Know your numbers.", "2027-02-02T09:00"),
      ].join("\n"),
    );

    expect(answer.body.errors.map(({ row, column, code }) => [row, column, code])).toEqual([
      [2, "id", "import.external_id_conflict"],
      [3, "time", "import.external_id_conflict"],
    ]);
  });

  test("do not come for a row whose post went out or was retried since", async () => {
    const file = [HEADER, row("a-1")].join("\n");
    await imported(file);
    const [post] = await posts();
    await putDelivery(setup.context, post?.deliveries[0]?.id ?? "", {
      state: "published",
      publishedAt: new Date("2027-02-01T15:00:02Z"),
    });

    expect((await imported(file)).body).toMatchObject({ existing: 1, errors: [] });
  });

  test("tell of media and alt texts that do not go together", async () => {
    await aMedium(setup.context, author.actor, { filename: "cuff.png", altText: "A cuff" });
    await aMedium(setup.context, author.actor, { filename: "bare.png", altText: "" });
    const base = "Heart Center,2027-02-01T09:00,UTC,Fine.";
    const file = [
      "id,channel,time,zone,text,media,alt text",
      `a-1,${base},cuff.png,Another cuff`,
      `a-2,${base},cuff.png,A cuff|Too many`,
      `a-3,${base},2:cuff.png,`,
      `a-4,${base},cuff.png|cuff.png,`,
      `a-5,${base},bare.png,Bare words`,
      `a-6,${base},bare.png,Other words`,
    ].join("\n");

    const answer = await refused(file);

    expect(answer.body.errors.map(({ row, column, code }) => [row, column, code])).toEqual([
      [2, "alt text", "import.alt_text_conflict"],
      [3, "alt text", "import.alt_text_count"],
      [4, "media", "import.no_such_part"],
      [5, "media", "import.media_twice"],
      [7, "alt text", "import.alt_text_conflict"],
    ]);
  });

  test("refuse to describe a medium that a post shows without words", async () => {
    const medium = await aMedium(setup.context, author.actor, {
      filename: "bare.png",
      altText: "",
    });
    await author.post("/posts", { parts: [{ text: "", mediaIds: [medium.id] }] });
    const line = "a-1,Heart Center,2027-02-01T09:00,UTC,Fine.,bare.png,Words";

    const answer = await refused(`id,channel,time,zone,text,media,alt text\n${line}`);

    expect(answer.body.errors).toMatchObject([{ code: "import.alt_text_conflict" }]);
  });
});

describe("a file that cannot be read", () => {
  test("with 5,001 rows is refused", async () => {
    const lines = Array.from({ length: 5_001 }, (_, index) => row(`big-${index}`));

    const answer = await refused([HEADER, ...lines].join("\n"));

    expect(answer).toMatchObject({ status: 400, body: { code: "import.too_many_rows" } });
    expect(await posts()).toEqual([]);
  });

  test.each([
    ["", "import.empty"],
    ["\n\n", "import.empty"],
    ["\uFEFF", "import.empty"],
    [HEADER, "import.empty"],
    [`${HEADER}\n,,,,\n\n`, "import.empty"],
    [`${HEADER}\n${row("a-1", '"never closed')}`, "import.broken_quotes"],
    [`${HEADER}\n${row("a-1", '"closed" too early')}`, "import.broken_quotes"],
  ])("such as %j is refused", async (file, code) => {
    expect(await refused(file)).toMatchObject({ status: 400, body: { code } });
  });

  test("in another encoding is refused", async () => {
    const latin1 = Buffer.from(`${HEADER}\n${row("a-1", "Ernährung")}`, "latin1");

    const answer = await refused(new Uint8Array(latin1));

    expect(answer).toMatchObject({ status: 400, body: { code: "import.not_utf8" } });
  });

  test("with a NUL character is refused by its cell", async () => {
    const answer = await refused([HEADER, row("a-1", "Half\0words")].join("\n"));

    expect(answer.body.errors).toMatchObject([{ row: 2, column: "text", code: "text.broken" }]);
  });

  test("that is missing is refused", async () => {
    expect(await author.post("/imports", new FormData())).toMatchObject({
      status: 400,
      body: { code: "upload.file_missing" },
    });
  });

  test("above 20 MB is refused", async () => {
    const answer = await refused(`${HEADER}\n${"x".repeat(20_000_001)}`);

    expect(answer).toMatchObject({ status: 413, body: { code: "import.too_large" } });
  });
});
