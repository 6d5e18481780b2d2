import { describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import { forgetOldKeys } from "../../shared/db/idempotency-keys.ts";
import { startApi } from "../support/api-client.ts";
import { apiStack } from "../support/api-stack.ts";
import { createTestContext } from "../support/context.ts";

const stack = apiStack();

const aBody = () => ({ parts: [{ text: "Take the stairs." }] });

describe("Idempotency-Key", () => {
  test("makes one post of many requests at the same time", async () => {
    const { actor, ...fresh } = await stack.api.signIn();
    const headers = { "idempotency-key": uuidv7() };

    const answers = await Promise.all(
      Array.from({ length: 8 }, () => fresh.post("/posts", aBody(), headers)),
    );

    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.every(({ status }) => status === 201)).toBe(true);
    const replayed = answers.filter((answer) => answer.headers.has("idempotency-replayed"));
    expect(replayed).toHaveLength(7);
    const posts = await stack.db
      .selectFrom("posts")
      .select("id")
      .where("workspaceId", "=", actor.workspaceId)
      .execute();
    expect(posts).toHaveLength(1);
  });

  test("gives back the headers, too", async () => {
    const headers = { "idempotency-key": uuidv7() };

    const first = await stack.client.post("/posts", aBody(), headers);
    const second = await stack.client.post("/posts", aBody(), headers);

    expect(first.headers.get("etag")).toBe('"1"');
    expect(second.headers.get("etag")).toBe('"1"');
    expect(second.body).toEqual(first.body);
  });

  test("is refused for another body, and for another address", async () => {
    const headers = { "idempotency-key": uuidv7() };
    await stack.client.post("/posts", aBody(), headers);

    const otherBody = await stack.client.post("/posts", { parts: [{ text: "Walk." }] }, headers);
    const otherPath = await stack.client.post("/channels", aBody(), headers);

    for (const answer of [otherBody, otherPath]) {
      expect(answer).toMatchObject({ status: 409, body: { code: "idempotency.key_reused" } });
    }
  });

  test("is free again after a refusal", async () => {
    const headers = { "idempotency-key": uuidv7() };
    const channelIds = [uuidv7()];

    const refused = await stack.client.post("/posts", { ...aBody(), channelIds }, headers);
    const accepted = await stack.client.post("/posts", aBody(), headers);

    expect([refused.status, accepted.status]).toEqual([400, 201]);
  });

  test("belongs to its workspace", async () => {
    const headers = { "idempotency-key": uuidv7() };
    const stranger = await stack.api.signIn();

    const mine = await stack.client.post("/posts", aBody(), headers);
    const theirs = await stranger.post("/posts", aBody(), headers);

    expect(theirs.status).toBe(201);
    expect(theirs.body.id).not.toBe(mine.body.id);
  });

  test.each([
    ["empty", ""],
    ["too long", "k".repeat(201)],
    ["not plain", "caf\u00e9"],
  ])("is refused when it is %s", async (_, key) => {
    const answer = await stack.client.post("/posts", aBody(), { "idempotency-key": key });

    expect(answer).toMatchObject({ status: 400, body: { code: "idempotency.bad_key" } });
  });

  test("is forgotten after a week", async () => {
    const fresh = await createTestContext();
    const freshApi = await startApi(fresh.context);
    const someone = await freshApi.signIn();
    await fresh.setClock(new Date("2027-01-04T08:00:00Z"));
    await someone.post("/posts", aBody(), { "idempotency-key": "old" });

    await fresh.setClock(new Date("2027-01-11T07:59:00Z"));
    const early = await forgetOldKeys(fresh.db);
    await fresh.setClock(new Date("2027-01-11T08:01:00Z"));
    const late = await forgetOldKeys(fresh.db);

    expect([early, late]).toEqual([0, 1]);
    await freshApi.close();
    await fresh.close();
  });
});
