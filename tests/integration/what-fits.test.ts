import { beforeAll, describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import { apiStack } from "../support/api-stack.ts";
import { aChannel, aMedium } from "../support/builders.ts";
import { expectRefusal, traces, type Refusal } from "../support/refusals.ts";

const stack = apiStack({ now: new Date("2027-02-01T12:00:00Z"), scope: "author" });

const soon = { local: "2027-02-02T09:00", zone: "America/Chicago" };
const refused = (path: string, body: unknown) => stack.client.post<Refusal>(path, body);

let x: { id: string };
let mastodon: { id: string };
let bluesky: { id: string };

beforeAll(async () => {
  const on = (platform: string, name: string) =>
    aChannel(stack.context, stack.client.actor, { platform, name });
  x = await on("x", "Heart (X)");
  mastodon = await on("mastodon", "Heart (M)");
  bluesky = await on("bluesky", "Heart (B)");
});

describe("what does not fit a platform", () => {
  test("is refused for each channel as that platform counts, and nothing is stored", async () => {
    // 141 characters that X counts twice; Mastodon and Bluesky take them as they are.
    const text = "心".repeat(141);

    const answer = await refused("/posts", {
      parts: [{ text }],
      channelIds: [x.id, mastodon.id, bluesky.id],
    });

    expectRefusal(answer, {
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
    const channel = await aChannel(stack.context, stack.client.actor);
    const { body: post } = await stack.client.post("/posts", {
      parts: [{ text: "One." }, { text: "Two." }],
      channelIds: [channel.id],
    });
    const { capabilities } = stack.context.connectors.get("sandbox") ?? fail();
    await stack.db
      .updateTable("channels")
      .set({ capabilities: JSON.stringify({ ...capabilities, threadMax: 1 }) })
      .where("id", "=", channel.id)
      .execute();

    const answer = await refused(`/posts/${post.id}/schedule`, { at: soon });

    expectRefusal(answer, { status: 400, code: "post.does_not_fit", paths: ["parts"] });
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
      Array.from({ length: 5 }, () => aMedium(stack.context, stack.client.actor)),
    );
    const film = await aMedium(stack.context, stack.client.actor, { contentType: "video/mp4" });
    const big = await aMedium(stack.context, stack.client.actor, { byteLength: 15_000_000 });
    const wordy = await aMedium(stack.context, stack.client.actor, { altText: "x".repeat(1_001) });

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
      ...(stack.context.connectors.get("sandbox") ?? fail()).capabilities,
      threadMax: 1,
    };
    const single = await aChannel(stack.context, stack.client.actor, { capabilities });

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
    const bare = await aMedium(stack.context, stack.client.actor, { altText: "" });
    const before = await traces(stack);

    const answer = await stack.client.post<{ findings: object[] }>("/check", {
      parts: [{ text: "x".repeat(281), mediaIds: [bare.id] }, { text: "" }],
      channelIds: [x.id],
    });

    expect(answer.status).toBe(200);
    expect(answer.body.findings).toMatchObject([
      { rule: "part.empty", severity: "error", field: "parts.1" },
      { rule: "text.too_long", severity: "error", field: "parts.0.text", start: 0, end: 281 },
      { rule: "alt_text.missing", severity: "warning", field: "parts.0.mediaIds.0" },
    ]);
    expect(await traces(stack)).toEqual(before);
  });

  test("counts a link where it stands below the text, and points at the author's words", async () => {
    const answer = await stack.client.post<{ findings: object[] }>("/check", {
      parts: [{ text: "x".repeat(280) }],
      channelIds: [x.id, bluesky.id],
      link: "https://www.cdc.gov/heart-disease/",
    });

    expect(answer.body.findings).toMatchObject([
      { rule: "text.too_long", channelId: x.id, count: 305, start: 0, end: 280 },
    ]);
  });

  test("finds nothing in a post that is as it should be", async () => {
    const answer = await stack.client.post("/check", {
      parts: [{ text: "Know your numbers." }],
      channelIds: [x.id, mastodon.id, bluesky.id],
    });

    expect(answer.body).toEqual({ findings: [] });
  });

  test("refuses a channel that is not there", async () => {
    const answer = await refused("/check", { parts: [{ text: "Fine." }], channelIds: [uuidv7()] });

    expectRefusal(answer, { status: 400, code: "post.unknown_channel" });
  });
});
