import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startApi, type ApiClient, type TestApi } from "../support/api-client.ts";
import { aChannel, aDelivery, aPost } from "../support/builders.ts";
import { createTestContext, type TestContext } from "../support/context.ts";
import { aForm, aPicture } from "../support/pictures.ts";

let opened: TestContext;
let api: TestApi;
let author: ApiClient;

beforeAll(async () => {
  opened = await createTestContext();
  api = await startApi(opened.context);
  author = await api.signIn({ scope: "author" });
});

afterAll(async () => {
  await api.close();
  await opened.close();
});

async function upload(bytes: Uint8Array, filename: string, more: Record<string, string> = {}) {
  return author.post("/media", aForm(bytes, filename, more));
}

async function readContent(id: string, headers: Record<string, string> = {}): Promise<Response> {
  const { authorization } = author;
  return api.fetch(`/api/v1/media/${id}/content`, { headers: { authorization, ...headers } });
}

describe("reading", () => {
  test("sends the bytes so that a browser can do nothing but draw them", async () => {
    const { body } = await upload(await aPicture("png"), "plain.png");

    const response = await readContent(body.id);

    expect(response.headers.get("content-type")).toBe("image/png");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("content-security-policy")).toBe("default-src 'none'; sandbox");
    expect(response.headers.get("cache-control")).toContain("private");
  });

  test("sends nothing to who has the bytes already", async () => {
    const { body } = await upload(await aPicture("png"), "known.png");

    const etag = (await readContent(body.id)).headers.get("etag") ?? "";
    // Without it, this client asks for a fresh copy whatever it names.
    const headers = { "cache-control": "max-age=0" };
    const response = await readContent(body.id, { "if-none-match": etag, ...headers });

    expect(response.status).toBe(304);
  });

  test("lists the newest first, page by page, and finds by name", async () => {
    const client = await api.signIn();
    for (const name of ["1.png", "2.png", "3.png"]) {
      await client.post("/media", aForm(await aPicture("png"), name));
    }

    const first = await client.get("/media?limit=2");
    const second = await client.get(`/media?limit=2&cursor=${first.body.nextCursor}`);
    const found = await client.get("/media?filename=2.png");

    const names = (items: typeof first.body.items) => items.map((item) => item["filename"]);
    expect(names([...first.body.items, ...second.body.items])).toEqual(["3.png", "2.png", "1.png"]);
    expect(second.body.nextCursor).toBeNull();
    expect(names(found.body.items)).toEqual(["2.png"]);
  });

  test("hides another workspace's image as if there were none", async () => {
    const { body } = await upload(await aPicture("png"), "private.png");
    const stranger = await api.signIn();

    const answers = await Promise.all([
      stranger.get(`/media/${body.id}`),
      stranger.get(`/media/${body.id}/content`),
      stranger.patch(`/media/${body.id}`, { altText: "mine" }),
      stranger.delete(`/media/${body.id}`),
    ]);

    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 404, body: { code: "media.missing" } });
    }
  });
});

describe("describing and removing", () => {
  const anImage = async () => (await upload(await aPicture("png"), "used.png")).body.id;
  const aPostWith = (mediaId: string, channelIds: string[] = []) =>
    aPost(opened.context, author.actor, {
      parts: [{ text: "Measure at rest.", mediaIds: [mediaId] }],
      channelIds,
    });

  test("describes an image anew", async () => {
    const id = await anImage();

    const answer = await author.patch(`/media/${id}`, { altText: "An arm with a cuff" });

    expect(answer).toMatchObject({ status: 200, body: { altText: "An arm with a cuff" } });
  });

  test("changes what posts with it are, so that nothing goes out that nobody saw", async () => {
    const id = await anImage();
    const post = await aPostWith(id);

    await author.patch(`/media/${id}`, { altText: "Another description" });

    const { body } = await author.get(`/posts/${post.id}`);
    expect(body["version"]).toBe(2);
    expect(body["contentHash"]).not.toBe(post.contentHash);
  });

  test("changes a planned delivery with it", async () => {
    const id = await anImage();
    const channel = await aChannel(opened.context, author.actor);
    const post = await aPostWith(id, [channel.id]);
    const at = { utc: new Date(opened.context.now().getTime() + 3_600_000).toISOString() };
    await author.post(`/posts/${post.id}/schedule`, { at });
    const hashes = () =>
      opened.db
        .selectFrom("deliveries")
        .select("contentHash")
        .where("postId", "=", post.id)
        .executeTakeFirstOrThrow();
    const before = await hashes();

    const answer = await author.patch(`/media/${id}`, { altText: "Yet another one" });

    expect(answer.status).toBe(200);
    expect((await hashes()).contentHash).not.toBe(before.contentHash);
  });

  test("refuses to describe an image anew that is published", async () => {
    const id = await anImage();
    const channel = await aChannel(opened.context, author.actor);
    await aDelivery(opened.context, author.actor, channel, {
      state: "published",
      publishedAt: opened.context.now(),
      content: { parts: [{ text: "Out.", mediaIds: [id] }] },
    });

    const answer = await author.patch(`/media/${id}`, { altText: "Too late" });

    expect(answer).toMatchObject({ status: 409, body: { code: "media.in_use" } });
    expect((await author.get(`/media/${id}`)).body["altText"]).toBe("");
  });

  test("removes an image that no post shows", async () => {
    const id = await anImage();

    const removed = await author.delete(`/media/${id}`);

    expect(removed.status).toBe(204);
    expect((await author.get(`/media/${id}`)).status).toBe(404);
  });

  test("refuses to remove an image that a post shows, in its own words or for one channel", async () => {
    const own = await anImage();
    const forOneChannel = await anImage();
    const { id: channelId } = await aChannel(opened.context, author.actor);
    await aPostWith(own);
    await aPost(opened.context, author.actor, {
      channelIds: [channelId],
      variants: { [channelId]: { parts: [{ text: "", mediaIds: [forOneChannel] }] } },
    });

    for (const id of [own, forOneChannel]) {
      expect(await author.delete(`/media/${id}`)).toMatchObject({
        status: 409,
        body: { code: "media.in_use" },
      });
    }
  });
});
