import {
  OpenAPIRegistry,
  OpenApiGeneratorV31,
  type ResponseConfig,
  type RouteConfig,
} from "@asteasolutions/zod-to-openapi";
import * as z from "zod";
import { Problem } from "../../shared/contract/problem.ts";
import type { Operation } from "./operation.ts";

type OpenApiDocument = ReturnType<OpenApiGeneratorV31["generateDocument"]>;

const BASE = "/api/v1";

/** Refusals that every operation with a token can give. */
const GENERAL_PROBLEMS = ["request.invalid", "token.invalid", "token.forbidden"];

/** Refusals of a body that is no JSON, or not ours to read. */
const BODY_PROBLEMS = [
  "request.type_unsupported",
  "request.charset_unsupported",
  "request.encoding_unsupported",
  "request.not_json",
  "request.not_utf8",
  "request.too_deep",
  "request.too_large",
  "text.broken",
];

const KEY_PROBLEMS = ["idempotency.bad_key", "idempotency.key_reused"];

const IdempotencyHeader = z.object({
  "Idempotency-Key": z
    .string()
    .max(200)
    .optional()
    .describe("Repeating the request with the same key repeats the answer, not the effect."),
});

/** Describes operations as OpenAPI 3.1, from the schemas that check the requests. */
export function openApiDocument(operations: readonly Operation[]): OpenApiDocument {
  const registry = new OpenAPIRegistry();
  registry.registerComponent("securitySchemes", "token", {
    type: "http",
    scheme: "bearer",
    description: "pw_…, made with `npm run token`",
  });
  for (const operation of operations) registry.registerPath(routeConfig(operation));
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: "3.1.0",
    info: {
      title: "Postwell",
      version: "1",
      description:
        "Plans educational health posts, publishes each once and on time, and brings the engagement back.",
    },
    servers: [{ url: "/" }],
  });
}

function routeConfig(operation: Operation): RouteConfig {
  const {
    method,
    path,
    base = BASE,
    action,
    summary,
    description,
    params,
    query,
    body,
  } = operation;
  const bodyType = operation.bodyType ?? "application/json";
  return {
    method,
    path: base + path,
    summary,
    ...(description === undefined ? {} : { description }),
    tags: [base === "" ? "process" : (path.split("/")[1] ?? "other")],
    security: action === null ? [] : [{ token: [] }],
    request: {
      ...(params ? { params } : {}),
      ...(query ? { query } : {}),
      headers: headersOf(operation),
      ...(body ? { body: { required: true, content: { [bodyType]: { schema: body } } } } : {}),
    },
    responses: { ...answersOf(operation), default: problemsOf(operation) },
  };
}

function headersOf({ method, headers = z.object({}) }: Operation): z.ZodObject {
  return method === "post" ? headers.extend(IdempotencyHeader.shape) : headers;
}

function answersOf({ answers }: Operation): Record<string, ResponseConfig> {
  const described = Object.entries(answers).map(
    ([status, { description, schema, contentType, headers }]) => {
      const hasBody = schema !== undefined || contentType !== undefined;
      const media = { schema: schema ?? z.string() };
      const content = { [contentType ?? "application/json"]: media };
      const answer = { description, ...(headers ? { headers } : {}) };
      return [status, hasBody ? { ...answer, content } : answer];
    },
  );
  return Object.fromEntries(described);
}

function problemsOf({ method, action, body, bodyType, problems = [] }: Operation): ResponseConfig {
  const codes = [
    ...(action === null ? ["request.invalid"] : GENERAL_PROBLEMS),
    ...(method === "post" ? KEY_PROBLEMS : []),
    ...(body && bodyType === undefined ? BODY_PROBLEMS : []),
    ...problems,
  ];
  return {
    description: `A refusal. Codes: ${codes.map((code) => `\`${code}\``).join(", ")}`,
    content: { "application/problem+json": { schema: Problem } },
  };
}
