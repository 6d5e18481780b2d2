import { describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import { type AnyBody } from "../support/api-client.ts";
import { aChannel } from "../support/builders.ts";
import { apiStack } from "../support/api-stack.ts";

const stack = apiStack();

async function send(
  path: string,
  { body, type }: { body: string | Uint8Array<ArrayBuffer>; type: string },
): Promise<{ status: number; body: AnyBody }> {
  const { authorization } = stack.client;
  const headers = { authorization, "content-type": type };
  const response = await stack.api.fetch(`/api/v1${path}`, { method: "POST", headers, body });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

const aPost = JSON.stringify({ parts: [{ text: "Walk a little." }] });

describe("what is not known", () => {
  const missing = uuidv7();

  test.each([
    ["/deliveries?stat=failed", "stat"],
    ["/posts?limit=5&lable=heart", "lable"],
    [`/posts/${missing}?full=true`, "full"],
    ["/channels?page=2", "page"],
    ["/status?hours=48", "hours"],
    ["/platforms?x=", "x"],
    ["/openapi.json?version=2", "version"],
    ["/engagement?group=channel", "group"],
    ["/events?last-event-id=1-1", "last-event-id"],
    ["/posts?__proto__=1", "__proto__"],
  ])("is refused in the query of %s", async (path, parameter) => {
    expect(await stack.client.get(path)).toMatchObject({
      status: 400,
      body: { code: "request.invalid", errors: [{ path: parameter, code: "unknown_field" }] },
    });
  });

  test("is refused in the query of a change, too, and nothing is changed", async () => {
    const answer = await stack.client.post("/posts?dryRun=true", JSON.parse(aPost));

    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: "dryRun" }] } });
    expect((await stack.client.get("/posts")).body.items).toEqual([]);
  });

  test("is refused in the body of what takes none", async () => {
    const answer = await stack.client.post(`/posts/${missing}/cancel`, { reason: "rain" });

    expect(answer).toMatchObject({
      status: 400,
      body: { errors: [{ path: "reason", code: "unknown_field" }] },
    });
    expect(await stack.client.post(`/posts/${missing}/cancel`, {})).toMatchObject({ status: 404 });
  });
});

describe("what would be stored or asked for in vain is refused", () => {
  const early = Buffer.from(JSON.stringify(["0000-01-01T00:00:00Z", uuidv7()])).toString(
    "base64url",
  );

  test.each([
    ["/deliveries?from=0000-01-01T00:00:00Z", "from"],
    ["/engagement?to=0000-12-31T00:00:00Z", "to"],
    [`/deliveries?cursor=${early}`, "cursor"],
  ])("a year that never was: %s", async (path, parameter) => {
    const answer = await stack.client.get(path);

    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: parameter }] } });
  });

  const words = [{ text: "Walk a little." }];
  test.each<[string, string, object]>([
    ["externalId", "/posts", { parts: words, externalId: "\u200B" }],
    ["campaign", "/posts", { parts: words, campaign: "\u2060" }],
    ["labels.0", "/posts", { parts: words, labels: ["\u3164"] }],
    ["reason", "/holds", { scope: { kind: "workspace" }, reason: "\u200B" }],
    ["name", "/channels", { platform: "sandbox", name: "\u200B" }],
  ])("a name that nobody sees: %s", async (field, path, body) => {
    expect(await stack.client.post(path, body)).toMatchObject({
      status: 400,
      body: { errors: [{ path: field }] },
    });
  });

  test("a link that would publish a password", async () => {
    const link = "https://nurse:secret@example.org/";

    expect(await stack.client.post("/posts", { parts: words, link })).toMatchObject({
      status: 400,
      body: { errors: [{ path: "link" }] },
    });
  });

  test("a form field that an import does not know", async () => {
    const form = new FormData();
    form.set("dryRun", "true");
    form.set("file", new Blob(["channel,time,zone,text"]), "a.csv");

    expect(await stack.client.post("/imports", form)).toMatchObject({
      status: 400,
      body: { errors: [{ path: "dryRun", code: "unknown_field" }] },
    });
  });
});

test("ids mean the same in upper case", async () => {
  const { id } = await aChannel(stack.context, stack.client.actor);
  const upper = id.toUpperCase();

  const answer = await stack.client.post("/posts", {
    parts: [{ text: "Walk a little." }],
    channelIds: [upper],
    variants: { [upper]: { parts: [{ text: "Walk." }] } },
  });

  expect(answer).toMatchObject({ status: 201, body: { channelIds: [id] } });
  const { body: found } = await stack.client.get(`/posts?channelId=${upper}`);
  expect(found.items.map((post) => post.id)).toEqual([answer.body.id]);
});

describe("a body of another kind", () => {
  test.each([
    ["a form", "parts=1", "application/x-www-form-urlencoded"],
    ["text", aPost, "text/plain"],
    ["what says nothing of itself", aPost, ""],
  ])("is refused with 415: %s", async (_, body, type) => {
    expect(await send("/posts", { body: new TextEncoder().encode(body), type })).toMatchObject({
      status: 415,
      body: {
        code: "request.type_unsupported",
        detail: expect.stringContaining("application/json"),
        errors: [{ path: "header.Content-Type", code: "request.type_unsupported" }],
      },
    });
  });

  test.each(["iso-8859-1", '"utf-16"', "utf-7"])(
    "is refused with 415: charset %s",
    async (name) => {
      expect(
        await send("/posts", { body: aPost, type: `application/json; charset=${name}` }),
      ).toMatchObject({
        status: 415,
        body: {
          code: "request.charset_unsupported",
          detail: expect.stringContaining("UTF-8"),
          errors: [{ path: "header.Content-Type" }],
        },
      });
    },
  );

  test.each(["application/json; charset=UTF-8", 'application/json;charset="utf8"'])(
    "is taken where it only says what is so: %s",
    async (type) => {
      expect(await send("/posts", { body: aPost, type })).toMatchObject({ status: 201 });
    },
  );

  test("is refused with 415 where it is packed in a way that we cannot unpack", async () => {
    const { authorization } = stack.client;
    const response = await stack.api.fetch("/api/v1/posts", {
      method: "POST",
      headers: { authorization, "content-type": "application/json", "content-encoding": "zstd2" },
      body: aPost,
    });

    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({
      code: "request.encoding_unsupported",
      errors: [{ path: "header.Content-Encoding" }],
    });
  });

  test("is refused with 415 where a file is expected", async () => {
    expect(await send("/imports", { body: aPost, type: "application/json" })).toMatchObject({
      status: 415,
      body: {
        code: "request.type_unsupported",
        detail: expect.stringContaining("multipart/form-data"),
        errors: [{ path: "header.Content-Type" }],
      },
    });
  });
});

describe("a refusal names its place", () => {
  test("in the headers", async () => {
    const { body: post } = await stack.client.post("/posts", JSON.parse(aPost));
    const used = { "idempotency-key": uuidv7() };
    await stack.client.post("/posts", JSON.parse(aPost), used);

    const stale = await stack.client.delete(`/posts/${post.id}`, { "if-match": '"9"' });
    const reused = await stack.client.post("/posts", { parts: [{ text: "Run." }] }, used);
    const badKey = await stack.client.post("/posts", {}, { "idempotency-key": "" });
    const lost = await stack.client.get("/events", { "last-event-id": "somewhere" });
    const nobody = await stack.api.fetch("/api/v1/posts");

    expect(stale.body.errors).toMatchObject([{ path: "header.If-Match", code: "post.changed" }]);
    expect(reused.body.errors).toMatchObject([
      { path: "header.Idempotency-Key", code: "idempotency.key_reused" },
    ]);
    expect(badKey.body.errors).toMatchObject([{ path: "header.Idempotency-Key" }]);
    expect(lost.body.errors).toMatchObject([{ path: "header.Last-Event-ID" }]);
    expect(await nobody.json()).toMatchObject({ errors: [{ path: "header.Authorization" }] });
  });

  test("in the body as a whole", async () => {
    const type = "application/json";
    const broken = await send("/posts", { body: "{", type });
    const notUtf8 = await send("/posts", { body: Uint8Array.of(0xff), type });
    const huge = await send("/posts", { body: `"${"x".repeat(1_000_001)}"`, type });
    const list = await send("/posts", { body: "[]", type });

    for (const answer of [broken, notUtf8, huge, list]) {
      expect(answer.body.errors).toMatchObject([{ path: "body" }]);
    }
  });

  test("in an upload", async () => {
    const form = new FormData();
    form.append("file", new Blob([Buffer.of(0xe9, 0x2c)]), "latin1.csv");
    const two = new FormData();
    two.append("file", new Blob(["channel,time"]), "a.csv");
    two.append("other", new Blob(["channel,time"]), "b.csv");

    const notUtf8 = await stack.client.post("/imports", form);
    const malformed = await stack.client.post("/imports", two);

    expect(notUtf8.body).toMatchObject({ code: "import.not_utf8", errors: [{ path: "file" }] });
    expect(malformed.body).toMatchObject({ code: "upload.malformed", errors: [{ path: "file" }] });
  });

  test("in the address, where that names nothing, or nothing that is ready for it", async () => {
    const { body: post } = await stack.client.post("/posts", JSON.parse(aPost));

    const missing = await stack.client.get(`/posts/${uuidv7()}`);
    const notPlanned = await stack.client.post(`/posts/${post.id}/cancel`);
    const nowhere = await stack.client.get("/nothing-here");

    expect(missing.body.errors).toMatchObject([{ path: "address", code: "post.missing" }]);
    expect(notPlanned.body.errors).toMatchObject([{ path: "address", code: "post.not_scheduled" }]);
    expect(nowhere.body.errors).toMatchObject([{ path: "address", code: "route.missing" }]);
  });
});

describe("If-Match", () => {
  test("is heeded by a cancellation", async () => {
    const { body: post } = await stack.client.post("/posts", JSON.parse(aPost));

    const answer = await stack.client.post(`/posts/${post.id}/cancel`, undefined, {
      "if-match": '"9"',
    });

    expect(answer).toMatchObject({ status: 412, body: { code: "post.changed" } });
  });

  test("takes no weak tag: it promises too little for a change", async () => {
    const { body: post } = await stack.client.post("/posts", JSON.parse(aPost));

    const weak = await stack.client.delete(`/posts/${post.id}`, { "if-match": 'W/"1"' });
    const strong = await stack.client.delete(`/posts/${post.id}`, { "if-match": '"7", "1"' });

    expect([weak.status, strong.status]).toEqual([412, 204]);
  });
});
