import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { JOBS } from "../../shared/jobs/registry.ts";
import { startApi, type ApiClient, type TestApi } from "../support/api-client.ts";
import { createTestContext, type TestContext } from "../support/context.ts";
import { describeWithRedis } from "../support/queue-modes.ts";

const PAGE = "/admin/queues";
const redisUrl = process.env["POSTWELL_TEST_REDIS_URL"];

/** Starts an API beside a Redis, and stops both with the suite. */
function withRedisAt(url: string | undefined) {
  const suite: { opened?: TestContext; api?: TestApi; admin?: ApiClient } = {};
  beforeAll(async () => {
    suite.opened = await createTestContext({ REDIS_URL: url ?? "" });
    suite.api = await startApi(suite.opened.context);
    suite.admin = await suite.api.signIn();
  });
  afterAll(async () => {
    await suite.api?.close();
    await suite.opened?.close();
  });
  return {
    get(path: string, authorization?: string, method = "GET"): Promise<Response> {
      if (!suite.api) throw new Error("not started");
      return suite.api.fetch(path, { method, headers: authorization ? { authorization } : {} });
    },
    client(): ApiClient {
      if (!suite.admin) throw new Error("not started");
      return suite.admin;
    },
    signIn(scope: "admin" | "author"): Promise<ApiClient> {
      if (!suite.api) throw new Error("not started");
      return suite.api.signIn({ scope });
    },
    platforms: () => [...(suite.opened?.context.connectors.keys() ?? [])],
  };
}

/** As a browser sends what was typed into its window. */
function typedIn({ authorization }: ApiClient): string {
  const token = authorization.replace("Bearer ", "");
  return `Basic ${Buffer.from(`anybody:${token}`).toString("base64")}`;
}

/** Asks until Redis has been connected to: a bounded number of times, each of which waits for the answer itself. */
async function untilReachable(ask: () => Promise<Response>): Promise<Response> {
  for (let times = 0; times < 200; times += 1) {
    const response = await ask();
    if (response.status !== 503) return response;
    await response.body?.cancel();
  }
  throw new Error("Redis was never reached");
}

describeWithRedis("the queue's page", () => {
  const suite = withRedisAt(redisUrl);

  test("opens for an admin's token, sent by a program or typed into a browser", async () => {
    const { authorization } = suite.client();

    const program = await untilReachable(() => suite.get(PAGE, authorization));
    const browser = await suite.get(PAGE, typedIn(suite.client()));

    expect([program.status, browser.status]).toEqual([200, 200]);
    expect(await browser.text()).toContain("<title>Postwell</title>");
    expect(browser.headers.get("content-security-policy")).toContain("default-src 'self'");
  });

  test("asks a browser for a token, and opens for nobody else", async () => {
    const author = await suite.signIn("author");
    const stranger = await suite.signIn("admin");

    const nobody = await suite.get(PAGE);
    const wrong = await suite.get(PAGE, "Basic eDp5");
    const files = await suite.get(`${PAGE}/static/js/main.js`);
    const refused = await suite.get(PAGE, typedIn(author));
    const elsewhere = await suite.get(PAGE, typedIn(stranger));

    const answers = [nobody, wrong, files, refused, elsewhere];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 403, 403]);
    expect(nobody.headers.get("www-authenticate")).toBe('Basic realm="Postwell queues"');
  });

  test("shows a queue for each job and platform, to look at only", async () => {
    const { authorization } = suite.client();

    const answer = await untilReachable(() => suite.get(`${PAGE}/api/queues`, authorization));
    const paused = await suite.get(`${PAGE}/api/queues/pause`, authorization, "PUT");

    const { queues }: { queues: { name: string; readOnlyMode: boolean }[] } = JSON.parse(
      await answer.text(),
    );
    const expected = JOBS.flatMap(({ name }) => suite.platforms().map((id) => `${name}-${id}`));
    expect(queues.map(({ name }) => name).toSorted()).toEqual(expected.toSorted());
    expect(queues.every(({ readOnlyMode }) => readOnlyMode)).toBe(true);
    expect(paused.status).toBe(405);
  });

  test("is told of by /readyz", async () => {
    const { authorization } = suite.client();
    await untilReachable(() => suite.get(PAGE, authorization));

    const response = await suite.get("/readyz");

    expect(JSON.parse(await response.text())).toMatchObject({ ok: true, queue: "redis" });
  });
});

describe("while Redis is away", () => {
  const suite = withRedisAt("redis://127.0.0.1:1");

  test("the page says so, and that publishing goes on", async () => {
    const response = await suite.get(PAGE, suite.client().authorization);

    expect(response.status).toBe(503);
    expect(await response.text()).toContain("Publishing goes on from PostgreSQL");
  });

  test("the API is ready all the same", async () => {
    const response = await suite.get("/readyz");

    expect(response.status).toBe(200);
    expect(JSON.parse(await response.text())).toMatchObject({ ok: true, queue: "redis_away" });
  });
});

test("there is no such page without a queue", async () => {
  const opened = await createTestContext();
  const api = await startApi(opened.context);
  const { authorization } = await api.signIn();

  const response = await api.fetch(PAGE, { headers: { authorization } });

  expect(response.status).toBe(404);
  await api.close();
  await opened.close();
});
