import { Router } from "express";
import type { Context } from "../../shared/context.ts";

/** What somebody sees who opens the address in a browser. */
export function landingRoutes({ connectors }: Context): Router {
  const hosted = [...connectors.values()].filter((connector) => connector.host !== undefined);
  const feeds = hosted.map(({ id, name }) => `<li><a href="/${id}">${name}: its feed</a></li>`);
  const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Postwell</title>
  </head>
  <body>
    <h1>Postwell</h1>
    <p>Plans educational health posts, publishes each once and on time, and brings the engagement back.</p>
    <ul>
      <li><a href="/api/docs">The API</a></li>
      ${feeds.join("\n      ")}
      <li><a href="/readyz">Is it ready?</a></li>
    </ul>
  </body>
</html>
`;
  const routes = Router();
  routes.get("/", (_req, res) => {
    res.type("html").send(page);
  });
  return routes;
}
