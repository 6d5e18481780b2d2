import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import sharp from "sharp";
import { v7 as uuidv7 } from "uuid";
import { startApi, type ApiClient, type TestApi } from "../support/api-client.ts";
import { aChannel, aDelivery, aPost } from "../support/builders.ts";
import { createTestContext, type TestContext } from "../support/context.ts";

const MAX_BYTES = 300_000;

let opened: TestContext;
let api: TestApi;
let author: ApiClient;

beforeAll(async () => {
  opened = await createTestContext({ POSTWELL_MAX_UPLOAD_BYTES: String(MAX_BYTES) });
  api = await startApi(opened.context);
  author = await api.signIn({ scope: "author" });
});

afterAll(async () => {
  await api.close();
  await opened.close();
});

type Format = "jpeg" | "png" | "webp" | "gif";

/** A plain picture of the given size. */
function aPicture(format: Format, size = { width: 6, height: 4 }): Promise<Buffer> {
  const channels = 3 as const;
  return sharp({ create: { ...size, channels, background: "teal" } })
    .toFormat(format)
    .toBuffer();
}

/** A moving picture of three frames. */
async function aMovingPicture(): Promise<Buffer> {
  const frames = await Promise.all(
    ["red", "green", "blue"].map((background) =>
      sharp({ create: { width: 5, height: 7, channels: 3, background } })
        .png()
        .toBuffer(),
    ),
  );
  return sharp(frames, { join: { animated: true } })
    .gif()
    .toBuffer();
}

/** A photograph as telephones make it: lying on its side, and telling where it was taken. */
function aPhotograph(): Promise<Buffer> {
  return sharp({ create: { width: 8, height: 2, channels: 3, background: "navy" } })
    .withExif({
      IFD0: { Make: "SecretCamera" },
      IFD3: { GPSLatitudeRef: "N", GPSLatitude: "40/1 26/1 46/1" },
    })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer();
}

/** The same PNG with another size in its header. */
function claiming(png: Buffer, { width, height }: { width: number; height: number }): Buffer {
  const forged = Buffer.from(png);
  const header = forged.subarray(12, 29);
  forged.writeUInt32BE(width, 16);
  forged.writeUInt32BE(height, 20);
  forged.writeUInt32BE(crc32(header), 29);
  return forged;
}

function aForm(bytes: Uint8Array, filename: string, more: Record<string, string> = {}): FormData {
  const form = new FormData();
  const { type = "", ...fields } = more;
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set("file", new Blob([new Uint8Array(bytes)], { type }), filename);
  return form;
}

async function upload(bytes: Uint8Array, filename: string, more: Record<string, string> = {}) {
  return author.post("/media", aForm(bytes, filename, more));
}

async function readContent(id: string, headers: Record<string, string> = {}): Promise<Response> {
  const { authorization } = author;
  return api.fetch(`/api/v1/media/${id}/content`, { headers: { authorization, ...headers } });
}

describe("uploading", () => {
  test.each<[Format, string, string]>([
    ["jpeg", "cuff.jpg", "image/jpeg"],
    ["png", "cuff.png", "image/png"],
    ["webp", "cuff.webp", "image/webp"],
    ["gif", "cuff.gif", "image/gif"],
  ])("takes %s", async (format, filename, contentType) => {
    const answer = await upload(await aPicture(format), filename, {
      type: contentType,
      altText: " A cuff ",
    });

    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      filename,
      contentType,
      width: 6,
      height: 4,
      altText: "A cuff",
    });
    expect((await author.get(`/media/${answer.body.id}`)).body).toEqual(answer.body);
  });

  test("hashes the bytes that are stored", async () => {
    const { body } = await upload(await aPicture("png"), "hashed.png");

    const bytes = Buffer.from(await (await readContent(body.id)).arrayBuffer());

    expect(body["sha256"]).toBe(createHash("sha256").update(bytes).digest("hex"));
    expect(body["byteLength"]).toBe(bytes.length);
  });

  test("turns a photograph upright and forgets where it was taken", async () => {
    const photograph = await aPhotograph();

    const { body } = await upload(photograph, "photo.jpg");

    expect((await sharp(photograph).metadata()).exif?.includes("SecretCamera")).toBe(true);
    const stored = await (await readContent(body.id)).arrayBuffer();
    const metadata = await sharp(stored).metadata();
    expect(body).toMatchObject({ width: 2, height: 8 });
    expect(metadata).toMatchObject({ width: 2, height: 8 });
    expect([metadata.exif, metadata.xmp, metadata.orientation]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("keeps a moving picture moving", async () => {
    const { body } = await upload(await aMovingPicture(), "steps.gif");

    const stored = await (await readContent(body.id)).arrayBuffer();
    expect((await sharp(stored, { animated: true }).metadata()).pages).toBe(3);
    expect(body).toMatchObject({ width: 5, height: 7 });
  });

  test("takes a name with letters of other scripts, and no folders", async () => {
    const { body } = await upload(await aPicture("png"), "../../etc/сердце ❤.png");

    expect(body["filename"]).toBe("сердце ❤.png");
  });

  test.each([
    ["its name", "cuff.png", ""],
    ["its type", "cuff.jpg", "image/png"],
    ["a name that is no picture's", "cuff.exe", ""],
  ])("refuses a file that lies in %s", async (_, filename, type) => {
    const answer = await upload(await aPicture("jpeg"), filename, { type });

    expect(answer).toMatchObject({
      status: 400,
      body: { code: "media.type_mismatch", errors: [{ path: "file" }] },
    });
  });

  test.each([
    ["a script", Buffer.from("<script>alert(1)</script>"), "x.png"],
    [
      "a drawing that may hold scripts",
      Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'/>"),
      "x.svg",
    ],
    ["a document", Buffer.from("%PDF-1.7\n"), "x.pdf"],
    ["nothing", Buffer.alloc(0), "x.png"],
  ])("refuses %s", async (_, bytes, filename) => {
    const answer = await upload(bytes, filename);

    expect(answer).toMatchObject({ status: 400, body: { code: "media.type_unsupported" } });
  });

  test.each<[Format]>([["jpeg"], ["png"], ["webp"]])("refuses half of a %s", async (format) => {
    const noise = await sharp({
      create: {
        width: 60,
        height: 60,
        channels: 3,
        background: "white",
        noise: { type: "gaussian" },
      },
    })
      .toFormat(format)
      .toBuffer();

    const answer = await upload(noise.subarray(0, noise.length / 2), `half.${format}`);

    expect(answer).toMatchObject({ status: 400, body: { code: "media.broken" } });
  });

  test("refuses a small file that unfolds into far too many pixels", async () => {
    const bomb = claiming(await aPicture("png"), { width: 20_000, height: 20_000 });

    const answer = await upload(bomb, "bomb.png");

    expect(answer).toMatchObject({ status: 400, body: { code: "media.too_many_pixels" } });
  });

  test("refuses a file that is too large", async () => {
    const answer = await upload(Buffer.alloc(MAX_BYTES + 1), "large.png");

    expect(answer).toMatchObject({
      status: 413,
      body: { code: "media.too_large", errors: [{ path: "file" }] },
    });
  });

  test("refuses a request without a file", async () => {
    const empty = new FormData();
    empty.set("altText", "nothing");

    const answers = [await author.post("/media", empty), await author.post("/media", {})];

    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 400, body: { code: "upload.file_missing" } });
    }
  });

  test("refuses a form that is cut off", async () => {
    const { authorization } = author;
    const response = await api.fetch("/api/v1/media", {
      method: "POST",
      headers: { authorization, "content-type": "multipart/form-data; boundary=x" },
      body: '--x\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\nabc',
    });

    expect(response.status).toBe(400);
    expect(JSON.parse(await response.text())).toMatchObject({ code: "upload.malformed" });
  });

  test("refuses a form with a field that nobody asked for", async () => {
    const answer = await upload(await aPicture("png"), "a.png", { colour: "red" });

    expect(answer).toMatchObject({
      status: 400,
      body: { code: "request.invalid", errors: [{ path: "colour" }] },
    });
  });

  test("stores one image when it is sent twice under one key", async () => {
    const bytes = await aPicture("png");
    const headers = { "idempotency-key": uuidv7() };

    const first = await author.post("/media", aForm(bytes, "once.png"), headers);
    const second = await author.post("/media", aForm(bytes, "once.png"), headers);
    const other = await author.post("/media", aForm(await aPicture("webp"), "once.webp"), headers);

    expect(second.body).toEqual(first.body);
    expect(other).toMatchObject({ status: 409, body: { code: "idempotency.key_reused" } });
  });
});

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
