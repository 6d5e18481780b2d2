import { createRequire } from "node:module";
import path from "node:path";
import { Router } from "express";
import { openApiDocument } from "../openapi/document.ts";
import { serve, type Operation } from "../openapi/operation.ts";

const FOLDER = path.dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));

/** Of the package only what the page needs: the rest is source maps and other builds. */
const FILES = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Postwell API</title>
    <link rel="icon" href="/api/docs/favicon-32x32.png" />
    <link rel="stylesheet" href="/api/docs/swagger-ui.css" />
  </head>
  <body>
    <div id="page"></div>
    <noscript>The description itself is at <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</noscript>
    <script src="/api/docs/swagger-ui-bundle.js"></script>
    <script src="/api/docs/page.js"></script>
  </body>
</html>
`;

/** Without a validator, which would send the description to somebody else's server. */
const SCRIPT = `SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
});
`;

const readDocument: Operation = {
  method: "get",
  path: "/openapi.json",
  action: null,
  summary: "Read this description",
  answers: { 200: { description: "OpenAPI 3.1", contentType: "application/json" } },
};

export const docsOperations = [readDocument];

/** The description of the API, for programs and for people. Needs no token: it holds nothing of anybody. */
export function docsRoutes(operations: readonly Operation[]): Router {
  const routes = Router();
  const document = JSON.stringify(openApiDocument(operations));
  const described = Router();
  serve(described, readDocument, (_req, res) => {
    res.type("json").send(document);
  });
  routes.use("/api/v1", described);
  routes.get("/api/docs", (_req, res) => {
    res.set("Content-Security-Policy", PAGE_POLICY).type("html").send(PAGE);
  });
  routes.get("/api/docs/page.js", (_req, res) => {
    res.type("js").send(SCRIPT);
  });
  for (const file of FILES) {
    routes.get(`/api/docs/${file}`, (_req, res) => res.sendFile(path.join(FOLDER, file)));
  }
  return routes;
}

/** Swagger UI writes styles into the page and draws its icons as data. */
const PAGE_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";
