import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { Credentials } from "../../shared/connectors/bluesky/credentials.ts";
import { connector } from "../../shared/connectors/bluesky/index.ts";
import {
  aPart,
  aStage,
  anImage,
  counting,
  publish,
  recordingBodies,
  type Stage,
} from "../support/bluesky.ts";

let stage: Stage;

beforeEach(async () => {
  stage = await aStage();
});

afterEach(() => stage.simulator.close());

test("marks links and hashtags at their bytes", async () => {
  const text = "❤️ Know your numbers: cdc.gov/bloodpressure #HeartMonth";
  const call = await stage.aChannel();
  const prepared = await connector.prepare(aPart({ text }), null, call);

  const shown = (prepared.record.facets ?? []).map(({ index }) =>
    Buffer.from(text).subarray(index.byteStart, index.byteEnd).toString(),
  );

  expect(shown).toEqual(["cdc.gov/bloodpressure", "#HeartMonth"]);
});

test("links the mention of an account that exists and leaves another one as text", async () => {
  const call = await stage.aChannel();
  const friend = Credentials.parse(stage.simulator.account("friend")).identifier;

  const part = aPart({ text: `Thanks @${friend} and @nobody.example` });
  const { record } = await connector.prepare(part, null, call);

  expect(record.facets).toHaveLength(1);
  expect(record.facets?.[0]?.features[0]).toMatchObject({ did: expect.stringMatching(/^did:/) });
});

test("publishes four images with their alt texts, in order", async () => {
  const call = await stage.aChannel();
  const media = ["a", "b", "c", ""].map((altText, index) => anImage({ id: `m${index}`, altText }));

  const part = aPart({ text: "", media });
  const prepared = await connector.prepare(part, null, call);
  await connector.commit(part, prepared, call);

  expect(stage.simulator.posts()[0]?.altTexts).toEqual(["a", "b", "c", ""]);
  expect(prepared.record.embed).toMatchObject({
    images: [{ aspectRatio: { width: 1200, height: 675 } }, {}, {}, {}],
  });
});

test("refuses an image of more than two million bytes before it uploads any", async () => {
  const requests: string[] = [];
  const call = await stage.aChannel({ fetch: counting(requests) });
  const media = [anImage({}), anImage({ bytes: 2_000_001 })];

  await expect(connector.prepare(aPart({ media }), null, call)).rejects.toMatchObject({
    kind: "media_invalid",
  });

  expect(requests.filter((url) => url.endsWith("uploadBlob"))).toHaveLength(0);
});

test("would learn of an image that is too large only when the post is refused", async () => {
  const call = await stage.aChannel();
  const part = aPart({ media: [anImage({ bytes: 2_000_001, declaredBytes: 10 })] });
  const prepared = await connector.prepare(part, null, call);

  await expect(connector.commit(part, prepared, call)).rejects.toMatchObject({
    kind: "media_invalid",
    platformCode: "BlobTooLarge",
  });
});

test("shows a card for a link that is not in the text", async () => {
  const call = await stage.aChannel();
  const part = aPart({ text: "Read this.", link: "https://www.heart.org/en/health-topics" });

  const { record } = await connector.prepare(part, null, call);

  expect(record.embed).toEqual({
    $type: "app.bsky.embed.external",
    external: {
      uri: "https://www.heart.org/en/health-topics",
      title: "heart.org",
      description: "",
    },
  });
  await connector.commit(part, await connector.prepare(part, null, call), call);
});

test("meets both ceilings of the text", async () => {
  const call = await stage.aChannel();
  const family = "👨‍👩‍👧‍👦";

  for (const text of ["x".repeat(301), family.repeat(130)]) {
    await expect(publish(aPart({ text }), call)).rejects.toMatchObject({
      kind: "content_rejected",
    });
  }
  await publish(aPart({ text: family.repeat(120) }), call);

  expect(stage.simulator.posts()).toHaveLength(1);
});

test("answers the part before in a thread and keeps the first one as root", async () => {
  const call = await stage.aChannel();
  const bodies: string[] = [];
  const first = await publish(aPart({ text: "1" }), call);
  const second = await publish(aPart({ text: "2", thread: { root: first, parent: first } }), call);
  const spying = { ...call, fetch: recordingBodies(bodies) };

  await publish(aPart({ text: "3", thread: { root: first, parent: second } }), spying);

  expect(stage.simulator.posts().map(({ parent }) => parent)).toEqual([
    null,
    first.remoteId,
    second.remoteId,
  ]);
  expect(JSON.parse(bodies.at(-1) ?? "")).toMatchObject({
    record: {
      reply: {
        root: { uri: first.remoteId, cid: first.reference?.["cid"] },
        parent: { uri: second.remoteId, cid: second.reference?.["cid"] },
      },
    },
  });
});

test("does not upload again what it uploaded a moment ago", async () => {
  const requests: string[] = [];
  const call = await stage.aChannel({ fetch: counting(requests) });
  const part = aPart({ media: [anImage({})] });

  const first = await connector.prepare(part, null, call);
  const again = await connector.prepare(part, first, call);

  expect(again).toEqual(first);
  expect(requests.filter((url) => url.endsWith("uploadBlob"))).toHaveLength(1);
});

test("chooses another key for other content", async () => {
  const call = await stage.aChannel();
  const first = await connector.prepare(aPart({ text: "Old words" }), null, call);

  const edited = await connector.prepare(aPart({ text: "New words" }), first, call);

  expect(edited.rkey).not.toBe(first.rkey);
  expect(edited.record.text).toBe("New words");
});

test("has a readable record key refused", async () => {
  const call = await stage.aChannel();
  const part = aPart({ text: "Hello" });
  const prepared = await connector.prepare(part, null, call);

  await expect(
    connector.commit(part, { ...prepared, rkey: "my-first-post" }, call),
  ).rejects.toMatchObject({ kind: "content_rejected" });
});

test.each([
  ["upload_unavailable", "unavailable"],
  ["upload_invalid", "media_invalid"],
] as const)("reports %s as %s", async (fault, kind) => {
  const call = await stage.aChannel();
  stage.simulator.fault(fault, 1);

  await expect(
    connector.prepare(aPart({ media: [anImage({})] }), null, call),
  ).rejects.toMatchObject({ kind });
});
