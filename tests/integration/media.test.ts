import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import sharp from "sharp";
import { v7 as uuidv7 } from "uuid";
import { startApi, type ApiClient, type TestApi } from "../support/api-client.ts";
import { createTestContext, type TestContext } from "../support/context.ts";
import {
  aForm,
  aMovingPicture,
  aPhotograph,
  aPicture,
  claiming,
  type Format,
} from "../support/pictures.ts";

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

    const answers = [await author.post("/media", empty), await author.post("/media")];

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
