import { beforeAll, describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import { createToken } from "../../shared/commands/create-token.ts";
import { apiStack } from "../support/api-stack.ts";
import { aChannel, aMedium } from "../support/builders.ts";
import { expectRefusal, traces, type Refusal } from "../support/refusals.ts";

const stack = apiStack({ now: new Date("2027-02-01T12:00:00Z"), scope: "author" });

const soon = { local: "2027-02-02T09:00", zone: "America/Chicago" };
const refused = (path: string, body: unknown) => stack.client.post<Refusal>(path, body);

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
    const before = await traces(stack);

    const answer = await refused("/posts", body);

    expectRefusal(answer, { status: 400, code, paths });
    expect(await traces(stack)).toEqual(before);
  });

  test("when its body is not UTF-8, not JSON, too deep or too large", async () => {
    const { workspaceId, scope } = stack.client.actor;
    const made = { workspaceId, name: "Raw", scope, lastsDays: null };
    const { token } = await createToken(stack.context, made);
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const before = await traces(stack);
    const send = async (body: string | Uint8Array<ArrayBuffer>) => {
      const response = await stack.api.fetch("/api/v1/posts", { method: "POST", headers, body });
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
    expect(await traces(stack)).toEqual(before);
  });

  test("with a channel or medium of another workspace, as if it were not there", async () => {
    const other = await stack.api.signIn();
    const theirChannel = await aChannel(stack.context, other.actor);
    const theirMedium = await aMedium(stack.context, other.actor);

    const channel = await refused("/posts", { parts: words, channelIds: [theirChannel.id] });
    const medium = await refused("/posts", { parts: [{ mediaIds: [theirMedium.id] }] });

    expectRefusal(channel, { status: 400, code: "post.unknown_channel" });
    expectRefusal(medium, { status: 400, code: "post.unknown_media" });
  });
});

describe("a time is refused", () => {
  let channel: { id: string };
  beforeAll(async () => {
    channel = await aChannel(stack.context, stack.client.actor);
  });

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
    const { body: post } = await stack.client.post("/posts", {
      parts: [{ text: "Fine." }],
      channelIds: [channel.id],
    });
    const before = await traces(stack);

    const answer = await refused(`/posts/${post.id}/schedule`, { at });

    expectRefusal(answer, { status: 400, code, paths: [path] });
    expect(await traces(stack)).toEqual(before);
  });

  test("that the clocks skip comes with both neighbours", async () => {
    const { body: post } = await stack.client.post("/posts", {
      parts: [{ text: "Fine." }],
      channelIds: [channel.id],
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

describe("an address is refused", () => {
  test.each(["/posts/not-an-id", "/deliveries/12", "/posts?limit=0", "/posts?limit=201"])(
    "%s",
    async (path) => {
      const answer = await stack.client.get<Refusal>(path);

      expectRefusal(answer, { status: 400, code: "request.invalid" });
    },
  );
});
