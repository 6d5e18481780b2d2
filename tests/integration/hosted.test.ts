import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { hostedDocuments } from "../../shared/db/hosted-documents.ts";
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

/** The platforms that Postwell hosts; these tests hold for any. */
const hostedIds = () =>
  [...opened.context.connectors.values()]
    .filter((connector) => connector.host !== undefined)
    .map(({ id }) => id);

test("shows a public page of every platform that Postwell hosts", async () => {
  expect(hostedIds().length).toBeGreaterThan(0);
  for (const id of hostedIds()) {
    const response = await api.fetch(`/${id}`);

    expect([id, response.status]).toEqual([id, 200]);
    expect(response.headers.get("content-type")).toContain("text/html");
  }
});

test("lets the platform decide the headers of its pages", async () => {
  const [id = ""] = hostedIds();

  const response = await api.fetch(`/${id}`);

  // Two policies would both hold: ours, which allows nothing, would take the page's style away.
  expect(response.headers.get("content-security-policy")).not.toContain(", default-src");
});

test("passes bodies and refusals on, through to a channel that publishes", async () => {
  const ported = await createTestContext();
  const server = await startApi(ported.context);
  const settings = new Map(ported.context.settings);
  const [id = ""] = hostedIds();
  settings.set(id, { baseUrl: `${server.url}/${id}`, publicUrl: `${server.url}/${id}` });
  const client = await startApi({ ...ported.context, settings });
  const admin = await client.signIn();

  const answer = await admin.post("/channels", { platform: id, name: "Practice" });
  const refused = await server.fetch(`/${id}/api/account`);

  expect(answer).toMatchObject({ status: 201, body: { state: "connected" } });
  expect(refused.status).toBe(401);
  await client.close();
  await server.close();
  await ported.close();
});

test("keeps a platform's documents apart from another's, in order", async () => {
  const one = hostedDocuments(opened.db, "one");
  const other = hostedDocuments(opened.db, "other");
  const ids = [await one.add({ at: 1 }), await one.add({ at: 2 }), await one.add({ at: 3 })];

  await one.replace(ids[2] ?? "", { at: 33 });
  await one.remove(ids[0] ?? "");

  const listed = (await one.list(2)).map(({ document }) => document);
  expect(listed).toEqual([{ at: 2 }, { at: 33 }]);
  expect(await one.find(ids[0] ?? "")).toBeNull();
  expect(await other.find(ids[1] ?? "")).toBeNull();
  expect(await other.list(10)).toEqual([]);
});
