import { afterAll, beforeAll, beforeEach } from "@jest/globals";
import type { Scope } from "../../shared/domain/permission.ts";
import { startApi, type ApiClient, type TestApi } from "./api-client.ts";
import { createTestContext, type TestContext } from "./context.ts";

/** The API on a database of its own, and somebody who uses it. */
export interface ApiStack extends TestContext {
  readonly api: TestApi;
  readonly client: ApiClient;
}

export interface ApiStackOptions {
  /** Where the clock stands still; without it, it is the machine's. */
  readonly now?: Date;
  readonly scope?: Scope;
  /** Signs in anew, in a new workspace, before each test; otherwise once. */
  readonly each?: "suite" | "test";
  readonly open?: () => Promise<TestContext>;
}

/** Registers the hooks that make it, around the tests of the suite that it is called in. */
export function apiStack(options: ApiStackOptions = {}): ApiStack {
  const { now, scope = "admin", each = "suite", open = createTestContext } = options;
  let test: TestContext;
  let api: TestApi;
  let client: ApiClient;

  beforeAll(async () => {
    test = await open();
    if (now) await test.setClock(now, { frozen: true });
    api = await startApi(test.context);
    client = await api.signIn({ scope });
  });
  beforeEach(async () => {
    if (each === "test") client = await api.signIn({ scope });
  });
  afterAll(async () => {
    await api.close();
    await test.close();
  });

  return {
    get url() {
      return test.url;
    },
    get context() {
      return test.context;
    },
    get db() {
      return test.db;
    },
    get api() {
      return api;
    },
    get client() {
      return client;
    },
    setClock: (instant, how) => test.setClock(instant, how),
    syncClock: () => test.syncClock(),
    close: () => test.close(),
  };
}
