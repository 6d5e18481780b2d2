import { describe, expect, test } from "@jest/globals";
import { apiStack } from "../support/api-stack.ts";
import { aMedium, putDelivery } from "../support/builders.ts";
import { HEADER, importing, now, row, type ImportRefusal } from "../support/importing.ts";

const stack = apiStack({ now, scope: "author", each: "test" });
const { imported, dryRun, refused, posts } = importing(stack);

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
    const asRows = (errors: ImportRefusal["errors"]) =>
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
    await putDelivery(stack.context, post?.deliveries[0]?.id ?? "", {
      state: "published",
      publishedAt: new Date("2027-02-01T15:00:02Z"),
    });

    expect((await imported(file)).body).toMatchObject({ existing: 1, errors: [] });
  });

  test("tell of media and alt texts that do not go together", async () => {
    await aMedium(stack.context, stack.client.actor, { filename: "cuff.png", altText: "A cuff" });
    await aMedium(stack.context, stack.client.actor, { filename: "bare.png", altText: "" });
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
    const medium = await aMedium(stack.context, stack.client.actor, {
      filename: "bare.png",
      altText: "",
    });
    await stack.client.post("/posts", { parts: [{ text: "", mediaIds: [medium.id] }] });
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
    expect(await stack.client.post("/imports", new FormData())).toMatchObject({
      status: 400,
      body: { code: "upload.file_missing" },
    });
  });

  test("above 20 MB is refused", async () => {
    const answer = await refused(`${HEADER}\n${"x".repeat(20_000_001)}`);

    expect(answer).toMatchObject({ status: 413, body: { code: "import.too_large" } });
  });
});
