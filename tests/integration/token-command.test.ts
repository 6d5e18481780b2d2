import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { fulfil } from "../../scripts/token/fulfil.ts";
import { readWish } from "../../scripts/token/wish.ts";
import { startApi, type TestApi } from "../support/api-client.ts";
import { createTestContext, type TestContext } from "../support/context.ts";

let opened: TestContext;
let api: TestApi;

beforeAll(async () => {
  opened = await createTestContext();
  api = await startApi(opened.context);
});

afterAll(async () => {
  await api.close();
  await opened.close();
});

async function command(line: string): Promise<string> {
  const wish = readWish(line.split(" "));
  if (wish.kind === "help") throw new Error("Help needs no database.");
  return fulfil(opened.db, wish);
}

async function statusWith(token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return (await api.fetch("/api/v1/platforms", { headers })).status;
}

async function idOf(name: string): Promise<string> {
  const line = (await command("list")).split("\n").find((row) => row.endsWith(name)) ?? "";
  return String(line.split(" ")[0]);
}

test("a token is made, listed without its secret, and revoked at once, also twice", async () => {
  const token = await command("--name Ana --scope author --workspace Heart --create-workspace");
  expect(await statusWith(token)).toBe(200);

  const before = await command("list --workspace Heart");
  const id = await idOf("Ana");
  expect(before).toMatch(new RegExp(`^${id} +author +valid +Heart +Ana$`, "m"));
  expect(before).not.toContain(token.slice(3));

  expect(await command(`revoke ${id}`)).toBe(
    "The token of Ana is revoked: it opens nothing any more.",
  );
  expect(await statusWith(token)).toBe(401);
  expect(await command(`revoke ${id}`)).toContain("is revoked");
  expect(await command("list")).toMatch(/author +revoked \d{4}-\d\d-\d\d +Heart +Ana/);
});

test("a mistyped workspace is refused with the ones there are, and none is made", async () => {
  await command("--name Ben --scope admin --workspace Clinic --create-workspace --days 2");

  await expect(command("--name Ben --scope admin --workspace Clinc")).rejects.toThrow(
    /^There is no workspace Clinc\. Known: .*Clinic.*--create-workspace/,
  );
  await expect(command("list --workspace Clinc")).rejects.toThrow("Known:");
  const { count } = await opened.db
    .selectFrom("workspaces")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("name", "=", "Clinc")
    .executeTakeFirstOrThrow();
  expect(count).toBe(0);
});

test("several workspaces are told apart by name", async () => {
  await command("--name Cleo --scope admin --workspace Other --create-workspace");

  await expect(command("--name Cleo --scope admin")).rejects.toThrow(/say --workspace\. Known:/);
});

test.each(["01a20436-e36c-74b5-816d-00f1bcb887d4", "pw_secret"])(
  "revoking %s, which no token has as its id, is refused",
  async (id) => {
    await expect(command(`revoke ${id}`)).rejects.toThrow(/^No token has this id\. (?!.*pw_)/);
  },
);

test("what cannot be understood is answered with the usage", () => {
  expect(readWish(["--help"])).toEqual({ kind: "help" });
  expect(() => readWish(["--scope", "boss", "--days", "x"])).toThrow(
    /^--name is needed: say who uses the token\.\n--scope must be admin or author\.\n--days must be a whole number from 1 to 3650\.\nUsage:/,
  );
  for (const args of [["revoke"], ["list", "all"], ["--nmae", "Ana"], ["delete", "x"]]) {
    expect(() => readWish(args)).toThrow(/\nUsage:/);
  }
});
