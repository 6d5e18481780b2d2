import { Router } from "express";
import type { Context } from "../../shared/context.ts";

/** What somebody sees who opens the address in a browser. */
export function landingRoutes({ connectors }: Context): Router {
  const hosted = [...connectors.values()].filter((connector) => connector.host !== undefined);
  const page = pageWith(hosted);
  const routes = Router();
  routes.get("/", (_req, res) => {
    res.set("Content-Security-Policy", POLICY).type("html").send(page);
  });
  routes.get("/landing.css", (_req, res) => {
    res.type("css").send(STYLE);
  });
  return routes;
}

/** Our own style sheet, and nothing else. */
const POLICY =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

function pageWith(hosted: readonly { readonly id: string; readonly name: string }[]): string {
  const feeds = hosted.map(
    ({ id, name }) =>
      `<li><a href="/${id}">${name}</a><p>The feed of the practice network: what you publish there shows up at once.</p></li>`,
  );
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Postwell</title>
    <link rel="stylesheet" href="/landing.css" />
  </head>
  <body>
    <main>
      <h1>Postwell</h1>
      <p>Plans educational health posts, publishes each once and on time, and brings the engagement back.</p>
      <ul>
        <li><a href="/api/docs">The API</a><p>Everything that Postwell can do, to read and to try with your token.</p></li>
        ${feeds.join("\n        ")}
        <li><a href="/admin/queues">The queue</a><p>For admins: any user name, and an admin token as password.</p></li>
        <li><a href="/readyz">Is it ready?</a><p>Whether the database and the queue can be reached.</p></li>
      </ul>
    </main>
  </body>
</html>
`;
}

const STYLE = `:root { color-scheme: light dark; --ink: #1c2733; --soft: #4a5a6a; --paper: #f5f7f9; --card: #fff; --line: #cfd8e0; --link: #0b5cad; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8edf2; --soft: #b4c0cb; --paper: #12181e; --card: #1a222a; --line: #33404c; --link: #86bdf5; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
main { max-width: 40rem; margin: 0 auto; padding: 3rem 1.25rem; }
h1 { margin: 0 0 .5rem; font-size: 2rem; }
main > p { margin: 0 0 2rem; color: var(--soft); font-size: 1.125rem; }
ul { display: grid; gap: .75rem; margin: 0; padding: 0; list-style: none; }
li { padding: 1rem 1.25rem; border: 1px solid var(--line); border-radius: .75rem; background: var(--card); }
li p { margin: .25rem 0 0; color: var(--soft); }
a { color: var(--link); font-weight: 600; text-underline-offset: .2em; }
a:focus-visible { outline: 3px solid var(--link); outline-offset: 3px; border-radius: .25rem; }
`;
