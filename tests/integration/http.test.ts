import { describe, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { v7 as uuidv7 } from "uuid";
import { startApi, type AnyBody } from "../support/api-client.ts";
import { aChannel, aMedium } from "../support/builders.ts";
import { apiStack } from "../support/api-stack.ts";
import { createTestContext } from "../support/context.ts";

const stack = apiStack();

/** Sends bytes that no JSON library would write. */
async function postBytes(
  body: string | Uint8Array<ArrayBuffer>,
): Promise<{ status: number; body: AnyBody }> {
  const { authorization } = stack.client;
  const response = await stack.api.fetch("/api/v1/posts", {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body,
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

describe("problems", () => {
  test("have the media type, the code and the id of the request", async () => {
    const answer = await stack.client.get(`/channels/${uuidv7()}`);

    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    expect(answer.body).toEqual({
      type: "urn:postwell:problem:channel.missing",
      title: "Not Found",
      status: 404,
      code: "channel.missing",
      detail: "There is no such channel.",
      errors: [{ path: "address", code: "channel.missing", detail: "There is no such channel." }],
      requestId: answer.headers.get("x-request-id"),
    });
  });

  test("answer an unknown address with 404, with a token and outside of the API", async () => {
    expect(await stack.client.get("/nothing-here")).toMatchObject({
      status: 404,
      body: { code: "route.missing" },
    });
    expect((await stack.api.fetch("/nothing-here")).status).toBe(404);
  });

  test("leak nothing of an error of our own", async () => {
    const read = () => Promise.reject(new Error("secret detail"));
    const broken = await startApi({
      ...stack.context,
      media: { ...stack.context.media, read },
    });
    const { id } = await aMedium(stack.context, stack.client.actor);

    const { authorization } = stack.client;
    const response = await broken.fetch(`/api/v1/media/${id}/content`, {
      headers: { authorization },
    });

    const text = await response.text();
    expect(response.status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({ code: "internal" });
    expect(text).not.toContain("secret detail");
    await broken.close();
  });

  test("say 503 while the database is away", async () => {
    const away = await createTestContext();
    const awayApi = await startApi(away.context);
    await away.context.db.destroy();
    await away.db.destroy();

    const response = await awayApi.fetch("/readyz");

    expect(response.status).toBe(503);
    expect(JSON.parse(await response.text())).toMatchObject({ ok: false, database: "unreachable" });
    await awayApi.close();
  });

  test("cope with an address that cannot be decoded", async () => {
    expect(await stack.client.get("/channels/%E0%A4%A")).toMatchObject({
      status: 400,
      body: { code: "request.malformed" },
    });
  });
});

describe("bodies", () => {
  test("that are no JSON are refused", async () => {
    const answer = await postBytes('{"parts": [');

    expect(answer).toMatchObject({ status: 400, body: { code: "request.not_json" } });
  });

  test("that are not UTF-8 are refused", async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"parts":[{"text":"'),
      Buffer.of(0xc3, 0x28),
      Buffer.from('"}]}'),
    ]);

    const answer = await postBytes(bytes);

    expect(answer).toMatchObject({ status: 400, body: { code: "request.not_utf8" } });
  });

  test.each([
    ["half of a surrogate pair", String.raw`\ud83d`],
    ["the other half", String.raw`\ude00`],
    ["a NUL", String.raw`\u0000`],
  ])("with %s are refused, with the place", async (_, escape) => {
    const answer = await postBytes(`{"parts":[{"text":"fine"},{"text":"a${escape}b"}]}`);

    expect(answer).toMatchObject({
      status: 400,
      body: { code: "text.broken", errors: [{ path: "parts.1.text", code: "text.broken" }] },
    });
  });

  test("with whole emoji are taken", async () => {
    const answer = await postBytes(String.raw`{"parts":[{"text":"a \ud83d\ude00 b"}]}`);

    expect(answer.status).toBe(201);
  });

  test("over 1 MB are refused", async () => {
    const answer = await postBytes(`{"parts":[{"text":"${"a".repeat(1_000_001)}"}]}`);

    expect(answer).toMatchObject({ status: 413, body: { code: "request.too_large" } });
  });

  test("that are nested too deep are refused", async () => {
    const answer = await postBytes(`{"parts":${"[".repeat(400_000)}${"]".repeat(400_000)}}`);

    expect(answer).toMatchObject({ status: 400, body: { code: "request.too_deep" } });
  });

  test("with unknown or wrong fields are refused, with each place", async () => {
    const answer = await stack.client.post("/posts", {
      parts: [{ text: 7, colour: "red" }],
      when: "now",
    });

    const paths = answer.body.errors.map(({ path }) => path).toSorted();
    expect(answer).toMatchObject({ status: 400, body: { code: "request.invalid" } });
    expect(paths).toEqual(["parts.0.colour", "parts.0.text", "when"]);
  });

  test("cannot smuggle a prototype in", async () => {
    const answer = await postBytes('{"__proto__":{"isAdmin":true},"parts":[{"text":"x"}]}');

    expect(answer).toMatchObject({ status: 400, body: { code: "request.invalid" } });
  });

  test("are not taken without the variant that would be a prototype", async () => {
    const parts = '[{"text":"x"}]';
    const answer = await postBytes(
      `{"parts":${parts},"variants":{"__proto__":{"parts":${parts}}}}`,
    );

    expect(answer).toMatchObject({
      status: 400,
      body: { errors: [{ path: "variants.__proto__", code: "unknown_field" }] },
    });
  });
});

describe("lists", () => {
  test.each(["nonsense", "WyJhIl0", "bnVsbA", "e30"])("refuse the cursor %s", async (cursor) => {
    expect(await stack.client.get(`/channels?cursor=${cursor}`)).toMatchObject({
      status: 400,
      body: { code: "request.bad_cursor", errors: [{ path: "cursor" }] },
    });
  });

  test.each(["0", "201", "-1", "many", "1.5"])("refuse the limit %s", async (limit) => {
    expect(await stack.client.get(`/channels?limit=${limit}`)).toMatchObject({
      status: 400,
      body: { code: "request.invalid", errors: [{ path: "limit" }] },
    });
  });

  test("refuse a NUL in the query", async () => {
    expect(await stack.client.get("/channels?platform=a%00b")).toMatchObject({
      status: 400,
      body: { code: "text.broken", errors: [{ path: "platform" }] },
    });
  });
});

describe("the process", () => {
  test("tells that it lives and that its stores are ready", async () => {
    const health = await stack.api.fetch("/healthz");
    const readiness = await stack.api.fetch("/readyz");

    expect(health.status).toBe(200);
    expect(JSON.parse(await readiness.text())).toEqual({
      ok: true,
      database: "ready",
      queue: "direct",
    });
  });

  test("is not ready while the schema is older than the program", async () => {
    const older = await createTestContext();
    const olderApi = await startApi(older.context);
    await sql`delete from migrations`.execute(older.db);

    const response = await olderApi.fetch("/readyz");

    expect(response.status).toBe(503);
    expect(JSON.parse(await response.text())).toMatchObject({ database: "schema_missing" });
    await olderApi.close();
    await older.close();
  });

  test("gives Prometheus its gauges", async () => {
    const response = await stack.api.fetch("/metrics");

    const text = await response.text();
    expect(text).toContain('postwell_deliveries{state="failed"} 0');
    expect(text).toContain("postwell_outbox_overdue 0");
    expect(text).toContain("process_resident_memory_bytes");
  });

  test("says nothing of what it is made of, and lets pages load nothing", async () => {
    const response = await stack.api.fetch("/");

    expect(response.headers.has("x-powered-by")).toBe(false);
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(await response.text()).toContain("/api/docs");
  });

  test("says whether the next 24 hours will publish", async () => {
    const someone = await stack.api.signIn();
    await aChannel(stack.context, someone.actor);
    await stack.db.insertInto("workers").values({ id: "a", confirmedFence: 0 }).execute();

    const answer = await someone.get("/status");

    expect(answer.body).toMatchObject({
      ok: true,
      next24Hours: { deliveries: 0, atStake: 0 },
      channelsNeedingAttention: [],
      oldestOverdue: null,
      queue: { mode: "direct" },
    });
  });
});
