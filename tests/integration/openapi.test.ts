import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Router } from "express";
import { NOUNS } from "../../api/nouns.ts";
import { docsOperations } from "../../api/routes/docs.ts";
import { healthOperations } from "../../api/routes/health.ts";
import { startApi, type TestApi } from "../support/api-client.ts";
import { createTestContext, type TestContext } from "../support/context.ts";

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
}

interface DescribedOperation {
  readonly summary?: string;
  readonly security?: readonly unknown[];
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly responses: Readonly<
    Record<string, { readonly headers?: Readonly<Record<string, unknown>> }>
  >;
}

let opened: TestContext;
let api: TestApi;
let document: Document;

beforeAll(async () => {
  opened = await createTestContext();
  api = await startApi(opened.context);
  const response = await api.fetch("/api/v1/openapi.json");
  document = JSON.parse(await response.text());
});

afterAll(async () => {
  await api.close();
  await opened.close();
});

/** `get /channels/{id}`: what a router answers. */
function routesOf(router: Router): string[] {
  return router.stack.flatMap(({ route }) =>
    route
      ? route.stack.map(({ method }) => `${method} ${route.path.replaceAll(/:(\w+)/g, "{$1}")}`)
      : [],
  );
}

const described = () =>
  Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method} ${path.replace("/api/v1", "")}`),
  );

describe("the description of the API", () => {
  test("is OpenAPI 3.1 and needs no token", () => {
    expect(document.openapi).toBe("3.1.0");
  });

  test("names every route that there is, and no other", () => {
    const closing = new AbortController();
    const served = NOUNS.flatMap((noun) =>
      routesOf(noun.routes(opened.context, closing.signal, null)),
    );
    const own = [...docsOperations, ...healthOperations].map(
      ({ method, path }) => `${method} ${path}`,
    );

    expect(described().toSorted()).toEqual([...new Set([...served, ...own])].toSorted());
  });

  test("says of every operation what it does, what comes back and how it refuses", () => {
    for (const operation of Object.values(document.paths).flatMap((path) => Object.values(path))) {
      expect(operation.summary).toBeTruthy();
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(["default"]));
      expect(Object.keys(operation.responses).length).toBeGreaterThan(1);
    }
  });

  test("names the headers that mean something, where they do", () => {
    const having = (name: string) =>
      Object.entries(document.paths).flatMap(([path, operations]) =>
        Object.entries(operations)
          .filter(([, { parameters = [] }]) =>
            parameters.some((parameter) => parameter.in === "header" && parameter.name === name),
          )
          .map(([method]) => `${method} ${path.replace("/api/v1", "")}`),
      );
    const tagged = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.values(operations)
        .flatMap(({ responses }) => Object.values(responses))
        .filter(({ headers = {} }) => "ETag" in headers)
        .map(() => path.replace("/api/v1", "")),
    );

    expect(having("If-Match")).toEqual([
      "patch /posts/{id}",
      "delete /posts/{id}",
      "post /posts/{id}/schedule",
      "post /posts/{id}/cancel",
    ]);
    expect(having("Last-Event-ID")).toEqual(["get /events"]);
    expect(having("Idempotency-Key")).toContain("post /posts");
    expect(having("Idempotency-Key")).not.toContain("get /posts");
    expect(new Set(tagged)).toEqual(
      new Set([
        "/posts",
        "/posts/{id}",
        "/posts/{id}/schedule",
        "/posts/{id}/cancel",
        "/media/{id}/content",
      ]),
    );
  });

  test("describes what watches over the process, outside of the versioned addresses", () => {
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(["/healthz", "/readyz", "/metrics"]),
    );
  });

  test("refers to nothing that it does not hold", () => {
    const text = JSON.stringify(document);
    const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = ""]) => path);

    expect(references.length).toBeGreaterThan(0);
    for (const reference of references) {
      let place: unknown = document;
      for (const name of reference.split("/")) {
        place = typeof place === "object" && place !== null ? Reflect.get(place, name) : undefined;
      }
      expect(place).toBeDefined();
    }
  });

  test("asks for a token wherever a route does", async () => {
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const [method, { security }] of Object.entries(operations)) {
        const address = path.replaceAll(/\{\w+\}/g, "00000000-0000-7000-8000-000000000000");
        const response = await api.fetch(address, { method: method.toUpperCase() });
        await response.body?.cancel();
        expect([address, response.status === 401]).toEqual([address, (security ?? []).length > 0]);
      }
    }
  });
});

describe("the page for people", () => {
  test("comes with all that it needs from this server alone", async () => {
    const response = await api.fetch("/api/docs");
    const page = await response.text();

    const addresses = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, address = ""]) => address,
    );
    expect(addresses.length).toBeGreaterThan(3);
    for (const address of addresses) {
      expect(address).toMatch(/^\//);
      expect((await api.fetch(address)).status).toBe(200);
    }
    expect(response.headers.get("content-security-policy")).toContain("default-src 'self'");
    expect(await (await api.fetch("/api/docs/page.js")).text()).toContain("validatorUrl: null");
  });
});

describe("platforms", () => {
  test("tell what they can do and how to connect, and no setting's value", async () => {
    const client = await api.signIn({ scope: "author" });

    const { body } = await client.get("/platforms");

    expect(body.items.map(({ id }) => id)).toEqual([...opened.context.connectors.keys()]);
    for (const platform of body.items) {
      expect(platform["capabilities"]).toMatchObject({ text: { max: expect.any(Number) } });
      expect(platform["credentialsSchema"]).toMatchObject({ type: "object" });
    }
  });

  test("name their settings as the configuration reads them", async () => {
    const set = await createTestContext({ POSTWELL_X_CLIENT_SECRET: "hush hush" });
    const setApi = await startApi(set.context);
    const client = await setApi.signIn();

    const { body } = await client.get("/platforms");

    const platform = body.items.find(({ id }) => id === "x");
    expect(platform?.["settings"]).toContainEqual(
      expect.objectContaining({ name: "POSTWELL_X_CLIENT_SECRET", isSet: true }),
    );
    expect(JSON.stringify(body)).not.toContain("hush hush");
    await setApi.close();
    await set.close();
  });
});
