import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import { createToken } from "../../shared/commands/create-token.ts";
import { startApi, type ApiAnswer, type ApiClient, type TestApi } from "../support/api-client.ts";
import { aChannel, aMedium } from "../support/builders.ts";
import { createTestContext, type TestContext } from "../support/context.ts";

let setup: TestContext;
let api: TestApi;
let author: ApiClient;
let x: { id: string };
let mastodon: { id: string };
let bluesky: { id: string };

beforeAll(async () => {
  setup = await createTestContext();
  await setup.setClock(new Date("2027-02-01T12:00:00Z"), { frozen: true });
  api = await startApi(setup.context);
  author = await api.signIn({ scope: "author" });
  x = await aChannel(setup.context, author.actor, { platform: "x", name: "Heart (X)" });
  mastodon = await aChannel(setup.context, author.actor, {
    platform: "mastodon",
    name: "Heart (M)",
  });
  bluesky = await aChannel(setup.context, author.actor, { platform: "bluesky", name: "Heart (B)" });
});

afterAll(async () => {
  await api.close();
  await setup.close();
});

interface Refusal {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly requestId: string;
  readonly errors: readonly {
    readonly path: string;
    readonly code: string;
    readonly detail: string;
    readonly [fact: string]: unknown;
  }[];
}

const soon = { local: "2027-02-02T09:00", zone: "America/Chicago" };

function refused(path: string, body: unknown): Promise<ApiAnswer<Refusal>> {
  return author.post<Refusal>(path, body);
}

/** Everything that a request could have left behind. */
async function traces() {
  const tables = ["posts", "deliveries", "events", "outbox", "idempotencyKeys"] as const;
  const counts = tables.map((table) =>
    setup.db
      .selectFrom(table)
      .select(({ fn }) => fn.countAll<number>().as("count"))
      .executeTakeFirstOrThrow(),
  );
  return Promise.all(counts);
}

async function expectRefusal(
  answer: ApiAnswer<Refusal>,
  expected: { status: number; code: string; paths?: readonly string[] },
): Promise<void> {
  const { status, code, paths } = expected;
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  expect(answer.body).toMatchObject({ status, code, type: `urn:postwell:problem:${code}` });
  expect(answer.body.detail.length).toBeGreaterThan(10);
  expect(answer.body.requestId).toBe(answer.headers.get("x-request-id"));
  if (paths) expect(answer.body.errors.map(({ path }) => path)).toEqual(paths);
}

describe("a post is refused", () => {
  const nobody = uuidv7();
  const words = [{ text: "Fine." }];
  test.each<[string, object, string, readonly string[]]>([
    ["without parts", { parts: [] }, "request.invalid", ["parts"]],
    ["without anything", {}, "request.invalid", ["parts"]],
    ["with a part of nothing", { parts: [{}] }, "part.empty", ["parts.0"]],
    ["with a part of spaces", { parts: [...words, { text: " \n\t " }] }, "part.empty", ["parts.1"]],
    ["with a part that nobody sees", { parts: [{ text: "\u200B" }] }, "part.empty", ["parts.0"]],
    [
      "with an empty part in a variant",
      { parts: words, channelIds: [nobody], variants: { [nobody]: { parts: [{ text: "" }] } } },
      "part.empty",
      [`variants.${nobody}.parts.0`],
    ],
    [
      "for a channel that is not there",
      { parts: words, channelIds: [nobody] },
      "post.unknown_channel",
      ["channelIds.0"],
    ],
    [
      "with a medium that is not there",
      { parts: [{ text: "Fine.", mediaIds: [nobody] }] },
      "post.unknown_media",
      ["parts.0.mediaIds.0"],
    ],
    [
      "with a variant for a channel that it does not go to",
      { parts: words, variants: { [nobody]: { parts: words } } },
      "post.stray_variant",
      [`variants.${nobody}`],
    ],
    [
      "with a link that runs code",
      { parts: words, link: "javascript:alert(1)" },
      "request.invalid",
      ["link"],
    ],
    ["with an unknown field", { parts: words, colour: "red" }, "request.invalid", ["colour"]],
    [
      "with a channel twice",
      { parts: words, channelIds: [nobody, nobody] },
      "request.invalid",
      ["channelIds"],
    ],
    [
      "with half a character",
      { parts: [{ text: "Half \uD83D" }] },
      "text.broken",
      ["parts.0.text"],
    ],
    ["with a NUL", { parts: [{ text: "Nul \0" }] }, "text.broken", ["parts.0.text"]],
    ["that is no object", [1, 2], "request.invalid", ["body"]],
    [
      "with a patience of no minutes",
      { parts: words, latestAfterMinutes: 0 },
      "request.invalid",
      ["latestAfterMinutes"],
    ],
  ])("%s", async (_what, body, code, paths) => {
    const before = await traces();

    const answer = await refused("/posts", body);

    await expectRefusal(answer, { status: 400, code, paths });
    expect(await traces()).toEqual(before);
  });

  test("when its body is not UTF-8, not JSON, too deep or too large", async () => {
    const { workspaceId, scope } = author.actor;
    const made = { workspaceId, name: "Raw", scope, lastsDays: null };
    const { token } = await createToken(setup.context, made);
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const before = await traces();
    const send = async (body: string | Uint8Array<ArrayBuffer>) => {
      const response = await api.fetch("/api/v1/posts", { method: "POST", headers, body });
      const answer: unknown = await response.json();
      return { status: response.status, body: answer };
    };

    const latin1 = new Uint8Array(Buffer.from('{"parts":[{"text":"Ern\xe4hrung"}]}', "latin1"));
    expect(await send(latin1)).toMatchObject({ status: 400, body: { code: "request.not_utf8" } });
    expect(await send('{"parts":')).toMatchObject({
      status: 400,
      body: { code: "request.not_json" },
    });
    expect(await send("[".repeat(100) + "]".repeat(100))).toMatchObject({
      status: 400,
      body: { code: "request.too_deep" },
    });
    expect(await send(JSON.stringify({ parts: [{ text: "x".repeat(1_000_001) }] }))).toMatchObject({
      status: 413,
      body: { code: "request.too_large" },
    });
    expect(await traces()).toEqual(before);
  });

  test("with a channel or medium of another workspace, as if it were not there", async () => {
    const other = await api.signIn();
    const theirChannel = await aChannel(setup.context, other.actor);
    const theirMedium = await aMedium(setup.context, other.actor);

    const channel = await refused("/posts", { parts: words, channelIds: [theirChannel.id] });
    const medium = await refused("/posts", { parts: [{ mediaIds: [theirMedium.id] }] });

    await expectRefusal(channel, { status: 400, code: "post.unknown_channel" });
    await expectRefusal(medium, { status: 400, code: "post.unknown_media" });
  });
});

describe("a time is refused", () => {
  test.each<[string, unknown, string, string]>([
    ["that has passed", { utc: "2027-02-01T11:59:00Z" }, "post.time_in_past", "at"],
    ["in another century", { utc: "2127-02-01T11:59:00Z" }, "schedule.too_far", "at"],
    [
      "in a zone that is not there",
      { ...soon, zone: "Mars/Base" },
      "schedule.unknown_zone",
      "at.zone",
    ],
    [
      "that no calendar has",
      { ...soon, local: "2027-02-30T09:00" },
      "schedule.bad_time",
      "at.local",
    ],
    ["without an offset", { utc: "2027-02-05T09:00" }, "schedule.bad_time", "at.utc"],
    [
      "that the clocks skip",
      { ...soon, local: "2027-03-14T02:30" },
      "schedule.time_skipped",
      "at.local",
    ],
    ["without a zone", { local: "2027-02-05T09:00" }, "request.invalid", "at.zone"],
    ["with a wrong wish", { ...soon, repeated: "both" }, "request.invalid", "at.repeated"],
    ["that is none", "tomorrow", "request.invalid", "at"],
    ["that is missing", undefined, "request.invalid", "at"],
  ])("%s", async (_what, at, code, path) => {
    const { body: post } = await author.post("/posts", {
      parts: [{ text: "Fine." }],
      channelIds: [mastodon.id],
    });
    const before = await traces();

    const answer = await refused(`/posts/${post.id}/schedule`, { at });

    await expectRefusal(answer, { status: 400, code, paths: [path] });
    expect(await traces()).toEqual(before);
  });

  test("that the clocks skip comes with both neighbours", async () => {
    const { body: post } = await author.post("/posts", {
      parts: [{ text: "Fine." }],
      channelIds: [mastodon.id],
    });

    const at = { local: "2027-03-14T02:30", zone: "America/Chicago" };
    const answer = await refused(`/posts/${post.id}/schedule`, { at });

    expect(answer.body.errors[0]).toMatchObject({
      neighbours: [
        { local: "2027-03-14T01:59", utc: "2027-03-14T07:59:00.000Z" },
        { local: "2027-03-14T03:00", utc: "2027-03-14T08:00:00.000Z" },
      ],
    });
  });
});

describe("what does not fit a platform", () => {
  test("is refused for each channel as that platform counts, and nothing is stored", async () => {
    // 141 characters that X counts twice; Mastodon and Bluesky take them as they are.
    const text = "心".repeat(141);

    const answer = await refused("/posts", {
      parts: [{ text }],
      channelIds: [x.id, mastodon.id, bluesky.id],
    });

    await expectRefusal(answer, {
      status: 400,
      code: "post.does_not_fit",
      paths: ["parts.0.text"],
    });
    expect(answer.body.errors[0]).toMatchObject({
      code: "text.too_long",
      channelId: x.id,
      count: 282,
      max: 280,
    });
    expect(answer.body.errors[0]?.detail).toMatch(/282 of at most 280 on Heart \(X\)/);
  });

  test("is refused when it is scheduled, too: a channel's limits may have changed since", async () => {
    const channel = await aChannel(setup.context, author.actor);
    const { body: post } = await author.post("/posts", {
      parts: [{ text: "One." }, { text: "Two." }],
      channelIds: [channel.id],
    });
    const { capabilities } = setup.context.connectors.get("sandbox") ?? fail();
    await setup.db
      .updateTable("channels")
      .set({ capabilities: JSON.stringify({ ...capabilities, threadMax: 1 }) })
      .where("id", "=", channel.id)
      .execute();

    const answer = await refused(`/posts/${post.id}/schedule`, { at: soon });

    await expectRefusal(answer, { status: 400, code: "post.does_not_fit", paths: ["parts"] });
  });

  test("knows that a long link counts for little on X and Mastodon, and for all of it on Bluesky", async () => {
    const text = `Read on: https://www.cdc.gov/${"a".repeat(300)}`;

    const answer = await refused("/posts", {
      parts: [{ text }],
      channelIds: [x.id, mastodon.id, bluesky.id],
    });

    expect(answer.body.errors.map(({ channelId }) => channelId)).toEqual([bluesky.id]);
  });

  test("counts bytes where a platform does", async () => {
    // One character to a reader, 25 bytes to Bluesky.
    const text = "👨‍👩‍👧‍👦".repeat(150);

    const answer = await refused("/posts", { parts: [{ text }], channelIds: [bluesky.id] });

    expect(answer.body.errors).toMatchObject([{ code: "text.too_many_bytes", max: 3_000 }]);
  });

  test("names the variant where the channel has one", async () => {
    const answer = await refused("/posts", {
      parts: [{ text: "Short." }],
      channelIds: [x.id, mastodon.id],
      variants: { [x.id]: { parts: [{ text: "Fine." }, { text: "x".repeat(281) }] } },
    });

    expect(answer.body.errors).toMatchObject([
      { path: `variants.${x.id}.parts.1.text`, code: "text.too_long", count: 281 },
    ]);
  });

  test("tells of media: too many, of the wrong kind, too big, and alt texts that are too long", async () => {
    const images = await Promise.all(
      Array.from({ length: 5 }, () => aMedium(setup.context, author.actor)),
    );
    const film = await aMedium(setup.context, author.actor, { contentType: "video/mp4" });
    const big = await aMedium(setup.context, author.actor, { byteLength: 15_000_000 });
    const wordy = await aMedium(setup.context, author.actor, { altText: "x".repeat(1_001) });

    const answer = await refused("/posts", {
      parts: [
        { text: "Five.", mediaIds: images.map(({ id }) => id) },
        { text: "Film.", mediaIds: [film.id] },
        { text: "Big.", mediaIds: [big.id] },
        { text: "Wordy.", mediaIds: [wordy.id] },
      ],
      channelIds: [x.id],
    });

    expect(answer.body.errors).toMatchObject([
      { path: "parts.0.mediaIds", code: "media.too_many", count: 5, max: 4 },
      { path: "parts.1.mediaIds.0", code: "media.type_not_taken" },
      { path: "parts.2.mediaIds.0", code: "media.too_big" },
      { path: "parts.3.mediaIds.0", code: "alt_text.too_long" },
    ]);
  });

  test("tells of a thread where a platform has none, or is longer than it takes", async () => {
    const capabilities = {
      ...(setup.context.connectors.get("sandbox") ?? fail()).capabilities,
      threadMax: 1,
    };
    const single = await aChannel(setup.context, author.actor, { capabilities });

    const answer = await refused("/posts", {
      parts: [{ text: "One." }, { text: "Two." }],
      channelIds: [single.id],
    });

    expect(answer.body.errors).toMatchObject([{ path: "parts", code: "thread.too_long", max: 1 }]);
  });
});

function fail(): never {
  throw new Error("There is no sandbox.");
}

describe("a check", () => {
  test("finds what scheduling would refuse, and what readers would miss, and stores nothing", async () => {
    const bare = await aMedium(setup.context, author.actor, { altText: "" });
    const before = await traces();

    const answer = await author.post<{ findings: object[] }>("/check", {
      parts: [{ text: "x".repeat(281), mediaIds: [bare.id] }, { text: "" }],
      channelIds: [x.id],
    });

    expect(answer.status).toBe(200);
    expect(answer.body.findings).toMatchObject([
      { rule: "part.empty", severity: "error", field: "parts.1" },
      { rule: "text.too_long", severity: "error", field: "parts.0.text", start: 0, end: 281 },
      { rule: "alt_text.missing", severity: "warning", field: "parts.0.mediaIds.0" },
    ]);
    expect(await traces()).toEqual(before);
  });

  test("counts a link where it stands below the text, and points at the author's words", async () => {
    const answer = await author.post<{ findings: object[] }>("/check", {
      parts: [{ text: "x".repeat(280) }],
      channelIds: [x.id, bluesky.id],
      link: "https://www.cdc.gov/heart-disease/",
    });

    expect(answer.body.findings).toMatchObject([
      { rule: "text.too_long", channelId: x.id, count: 305, start: 0, end: 280 },
    ]);
  });

  test("finds nothing in a post that is as it should be", async () => {
    const answer = await author.post("/check", {
      parts: [{ text: "Know your numbers." }],
      channelIds: [x.id, mastodon.id, bluesky.id],
    });

    expect(answer.body).toEqual({ findings: [] });
  });

  test("refuses a channel that is not there", async () => {
    const answer = await refused("/check", { parts: [{ text: "Fine." }], channelIds: [uuidv7()] });

    await expectRefusal(answer, { status: 400, code: "post.unknown_channel" });
  });
});

describe("an address is refused", () => {
  test.each(["/posts/not-an-id", "/deliveries/12", "/posts?limit=0", "/posts?limit=201"])(
    "%s",
    async (path) => {
      const answer = await author.get<Refusal>(path);

      await expectRefusal(answer, { status: 400, code: "request.invalid" });
    },
  );
});
