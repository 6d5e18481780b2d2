import { describe, expect, test } from "@jest/globals";
import { bootstrapToken } from "../../shared/commands/bootstrap-token.ts";
import { createToken } from "../../shared/commands/create-token.ts";
import { tokenHash } from "../../shared/domain/token.ts";
import { startApi, type AnyBody } from "../support/api-client.ts";
import { apiStack } from "../support/api-stack.ts";
import { createTestContext } from "../support/context.ts";

const stack = apiStack();

async function askWith(authorization: string | null): Promise<{ status: number; body: AnyBody }> {
  const headers = authorization === null ? {} : { authorization };
  const response = await stack.api.fetch("/api/v1/platforms", { headers });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

async function aToken(lastsDays: number | null = null): Promise<{ id: string; token: string }> {
  const { actor } = await stack.api.signIn();
  const { workspaceId } = actor;
  return createToken(stack.context, { workspaceId, name: "Test", scope: "author", lastsDays });
}

describe("signing in", () => {
  test("lets a good token in, however Bearer is written", async () => {
    const { token } = await aToken();

    expect((await askWith(`Bearer ${token}`)).status).toBe(200);
    expect((await askWith(`bearer ${token}`)).status).toBe(200);
  });

  test("gives one answer to every token that is no good, and asks for one", async () => {
    const { token } = await aToken();
    const headers = [
      null,
      "",
      "Bearer",
      "Bearer ",
      `Basic ${token}`,
      `Bearer ${token}x`,
      "Bearer pw_",
    ];

    const answers = await Promise.all(headers.map((header) => askWith(header)));

    const details = new Set(answers.map(({ body }) => `${body.code} ${body.detail}`));
    expect(answers.map(({ status }) => status)).toEqual(headers.map(() => 401));
    expect(details.size).toBe(1);
    const response = await stack.api.fetch("/api/v1/platforms");
    expect(response.headers.get("www-authenticate")).toBe('Bearer realm="postwell"');
  });

  test("ends with the token's last day", async () => {
    const { token } = await aToken(2);
    const start = new Date("2027-01-04T08:00:00Z");
    await stack.setClock(start);
    const { token: shortLived } = await aToken(2);

    await stack.setClock(new Date("2027-01-06T07:59:00Z"));
    const before = await askWith(`Bearer ${shortLived}`);
    await stack.setClock(new Date("2027-01-06T08:00:01Z"));
    const after = await askWith(`Bearer ${shortLived}`);

    expect([before.status, after.status]).toEqual([200, 401]);
    expect((await askWith(`Bearer ${token}`)).body.code).toBe("token.invalid");
  });

  test("ends at once when the token is revoked", async () => {
    const { id, token } = await aToken();
    await askWith(`Bearer ${token}`);

    const revoked = { revokedAt: stack.context.now() };
    await stack.db.updateTable("apiTokens").set(revoked).where("id", "=", id).execute();

    expect((await askWith(`Bearer ${token}`)).body.code).toBe("token.invalid");
  });

  test("stores the token's hash and nothing that leads back to it", async () => {
    const { id, token } = await aToken();

    const row = await stack.db
      .selectFrom("apiTokens")
      .selectAll()
      .where("id", "=", id)
      .executeTakeFirstOrThrow();

    expect(token).toMatch(/^pw_[\w-]{43}$/);
    expect(row.tokenHash).toEqual(tokenHash(token));
    expect(JSON.stringify(row)).not.toContain(token.slice(3));
  });

  test("finds a token by one look into an index", async () => {
    const plan = await stack.db
      .selectFrom("apiTokens")
      .select(["id", "workspaceId", "scope"])
      .where("tokenHash", "=", tokenHash("pw_any"))
      .where("revokedAt", "is", null)
      .explain("json");

    expect(JSON.stringify(plan)).toContain("api_tokens_token_hash_key");
  });
});

describe("the first token", () => {
  test("is made once, whoever asks and however many ask at a time", async () => {
    const fresh = await createTestContext();

    const made = await Promise.all([
      bootstrapToken(fresh.context, "pw_first_first_first_first"),
      bootstrapToken(fresh.context, "pw_second_second_second_second"),
    ]);

    expect(made.toSorted()).toEqual([false, true]);
    const tokens = await fresh.db.selectFrom("apiTokens").select("scope").execute();
    expect(tokens).toEqual([{ scope: "admin" }]);
    await fresh.close();
  });

  test("opens the API", async () => {
    const fresh = await createTestContext();
    const freshApi = await startApi(fresh.context);

    await bootstrapToken(fresh.context, "pw_first_first_first_first");
    const headers = { authorization: "Bearer pw_first_first_first_first" };
    const answer = await freshApi.fetch("/api/v1/channels", { headers });

    expect(answer.status).toBe(200);
    await freshApi.close();
    await fresh.close();
  });
});
