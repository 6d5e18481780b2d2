import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { openContext } from "../../shared/context.ts";
import { startApi, type TestApi } from "../support/api-client.ts";
import { createTestContext, type TestContext } from "../support/context.ts";

/** A pixel: the smallest GIF that browsers take. */
const GIF = Buffer.from("R0lGODlhAQABAAAAACwAAAAAAQABAAA=", "base64");

let opened: TestContext;
let api: TestApi;
let token: string;

beforeAll(async () => {
  opened = await createTestContext();
  api = await startApi(opened.context);
  token = await signIn();
});

afterAll(async () => {
  await api.close();
  await opened.close();
});

const hostKey = () =>
  createHmac("sha256", opened.context.config.secretKey).update("host/sandbox").digest("base64url");

function write(path: string, init: RequestInit, at = api): Promise<Response> {
  const headers = { "x-postwell-host-key": hostKey(), authorization: `Bearer ${token}` };
  return at.fetch(`/sandbox/api${path}`, {
    method: "POST",
    ...init,
    headers: { ...headers, ...Object.fromEntries(new Headers(init.headers)) },
  });
}

async function field(response: Response, name: string): Promise<string> {
  const body: Record<string, string> = JSON.parse(await response.text());
  return body[name] ?? "";
}

async function signIn(): Promise<string> {
  return field(await write("/sessions", { body: '{"handle":"@heart"}' }), "token");
}

function aPost(fields: Record<string, unknown> = {}) {
  const id = crypto.randomUUID();
  const words = { text: `Know your numbers ${id}`, link: null, pictures: [], parent: null };
  return { id, ...words, ...fields };
}

const publish = (post: ReturnType<typeof aPost>, at = api) =>
  write("/posts", { body: JSON.stringify(post) }, at);

const read = async (path: string) => (await api.fetch(`/sandbox${path}`)).text();

const upload = (bytes: Uint8Array<ArrayBuffer>) =>
  write("/pictures", { headers: { "content-type": "image/gif" }, body: bytes });

describe("a post on the practice network", () => {
  test("is on the feed, newest first, and on a page of its own with its thread", async () => {
    const root = aPost();
    const answer = aPost({ parent: root.id });
    const newest = aPost();
    for (const post of [root, answer, newest]) expect((await publish(post)).status).toBe(201);

    const feed = await read("");
    const page = await read(`/posts/${answer.id}`);

    const places = [newest, root, answer].map(({ text }) => feed.indexOf(text));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((one, other) => one - other));
    expect([page.includes(root.text), page.includes(newest.text)]).toEqual([true, false]);
  });

  test("shows its picture, which nobody could see before", async () => {
    const picture = await field(await upload(GIF), "id");
    const before = await api.fetch(`/sandbox/pictures/${picture}`);
    const post = aPost({ pictures: [{ id: picture, altText: "A single pixel" }] });

    await publish(post);

    const shown = await api.fetch(`/sandbox/pictures/${picture}`);
    expect([before.status, shown.status]).toEqual([404, 200]);
    expect(shown.headers.get("content-type")).toBe("image/gif");
    expect(Buffer.from(await shown.arrayBuffer())).toEqual(GIF);
    expect(await read(`/posts/${post.id}`)).toContain('alt="A single pixel"');
  });

  test("is made once by many processes", async () => {
    const second = await openContext(opened.context.config, opened.context.log, "second");
    const other = await startApi(second.context);
    const post = aPost();

    const answers = await Promise.all(
      [1, 2, 3, 4].flatMap(() => [publish(post), publish(post, other)]),
    );
    await other.close();
    await second.close();

    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 200)).toHaveLength(7);
    expect((await read("")).split(post.text)).toHaveLength(2);
  });

  test("stays away once it was removed, also for a late repeat", async () => {
    const post = aPost();
    await publish(post);

    const removed = await write(`/posts/${post.id}`, { method: "DELETE" });
    const repeated = await publish(post);

    expect([removed.status, repeated.status]).toEqual([204, 410]);
    expect((await api.fetch(`/sandbox/posts/${post.id}`)).status).toBe(404);
    expect(await read("")).not.toContain(post.text);
  });
});

describe("without the key that only this Postwell has", () => {
  test.each([
    ["POST", "/sessions"],
    ["POST", "/pictures"],
    ["POST", "/posts"],
    ["DELETE", "/posts/019be000-0000-7000-8000-000000000000"],
  ])("%s %s is refused", async (method, path) => {
    for (const key of ["", "guess", `${hostKey()}x`, hostKey().toLowerCase()]) {
      const headers = { "x-postwell-host-key": key };
      const response = await write(path, { method, headers, body: JSON.stringify(aPost()) });

      expect(response.status).toBe(403);
      expect(await response.text()).toContain("host_key_wrong");
    }
  });

  test("a large upload is refused with an answer, not with a broken connection", async () => {
    const headers = { "x-postwell-host-key": "guess" };

    const response = await write("/pictures", { headers, body: Buffer.alloc(4_000_000) });

    expect(response.status).toBe(403);
  });

  test("a reader needs none", async () => {
    const post = aPost();
    await publish(post);

    expect((await api.fetch(`/sandbox/api/posts/${post.id}`)).status).toBe(200);
  });
});

test("answers an upload that is too large", async () => {
  const response = await upload(Buffer.concat([GIF, Buffer.alloc(9_000_000)]));

  expect(response.status).toBe(413);
});

test("forgets pictures that no post has shown for a day", async () => {
  const [unused, used] = [
    await field(await upload(GIF), "id"),
    await field(await upload(GIF), "id"),
  ];
  await publish(aPost({ pictures: [{ id: used, altText: "" }] }));
  await opened.setClock(new Date(Date.now() + 25 * 3_600_000));

  await upload(GIF);

  const late = await publish(aPost({ pictures: [{ id: unused, altText: "" }] }));
  expect([late.status, await late.text()]).toEqual([
    422,
    expect.stringContaining("picture_missing"),
  ]);
  expect((await api.fetch(`/sandbox/pictures/${used}`)).status).toBe(200);
});

/** The platforms that Postwell hosts; what follows holds for any. */
const hostedIds = () =>
  [...opened.context.connectors.values()]
    .filter((connector) => connector.host !== undefined)
    .map(({ id }) => id);

describe("every platform that Postwell hosts", () => {
  test("has a public page", async () => {
    expect(hostedIds().length).toBeGreaterThan(0);
    for (const id of hostedIds()) {
      const response = await api.fetch(`/${id}`);

      expect([id, response.status]).toEqual([id, 200]);
      expect(response.headers.get("content-type")).toContain("text/html");
    }
  });

  test("decides the headers of its pages", async () => {
    const [id = ""] = hostedIds();

    const response = await api.fetch(`/${id}`);

    // Two policies would both hold: ours, which allows nothing, would take the page's style away.
    const policy = response.headers.get("content-security-policy");
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain(", default-src");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  });

  test("knows the Postwell that connects a channel, and nobody else", async () => {
    const [id = ""] = hostedIds();
    const at = { baseUrl: `${api.url}/${id}`, publicUrl: `${api.url}/${id}` };
    const channels = await startApi({
      ...opened.context,
      settings: new Map([[id, Object.assign({}, opened.context.settings.get(id), at)]]),
    });
    const strangers = await startApi({ ...opened.context, settings: new Map([[id, at]]) });
    const request = { platform: id, name: "Practice", credentials: {} };

    const ours = await (await channels.signIn()).post("/channels", request);
    const theirs = await (await strangers.signIn()).post("/channels", request);
    await channels.close();
    await strangers.close();

    expect(ours).toMatchObject({ status: 201, body: { state: "connected" } });
    expect(theirs.status).toBeGreaterThanOrEqual(400);
    expect(JSON.stringify(theirs.body)).toContain("POSTWELL_SECRET_KEY");
  });
});
