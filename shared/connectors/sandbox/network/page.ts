import { html, type Html } from "./html.ts";

/** Where the network stands on its server; the folder's name, as for every platform that Postwell hosts. */
export const BASE_PATH = "/sandbox";

/** A whole page, with headers under which a browser runs and loads nothing but our own style and pictures. */
export function page(title: string, content: Html, status = 200): Response {
  const { markup } = html` <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="robots" content="noindex" />
      <title>${title}</title>
      <link rel="stylesheet" href="${BASE_PATH}/style.css" />
    </head>
    <body>
      <a class="skip" href="#posts">Skip to the posts</a>
      <header class="top">
        <div>
          ${SAIL}
          <div>
            <h1><a href="${BASE_PATH}/">Practice network</a></h1>
            <p class="tagline">A small social network inside Postwell</p>
          </div>
        </div>
      </header>
      <main id="posts" tabindex="-1">
        <p class="notice" role="note">
          <b>For practice only.</b> Nothing here leaves this Postwell. All readers and their
          reactions are simulated.
        </p>
        ${content}
      </main>
      <footer>Posts come from channels on the platform “Sandbox”.</footer>
    </body>
  </html>`;
  return new Response(`<!doctype html>${markup}`, { status, headers: PAGE_HEADERS });
}

export const emptyFeed = html`<div class="empty">
  <h2>Nothing has been published yet</h2>
  <p>
    Connect a channel on the platform “Sandbox” and schedule a post for it: it appears here. It
    needs no account.
  </p>
</div>`;

export const missingPost = html`<div class="empty">
  <h2>This post is not here</h2>
  <p>It may have been removed.</p>
  <p><a href="${BASE_PATH}/">All posts</a></p>
</div>`;

/** The platform's sign, beside its name. */
const SAIL = html`<svg class="sign" viewBox="0 0 24 24" aria-hidden="true">
  <rect width="24" height="24" rx="6" fill="#0b5f8a" />
  <path d="M4 18h16l-1.6-5H5.6z" fill="#f2c66d" />
  <path d="M12 13V5l5 2.4L12 9.8" fill="#fff" stroke="#fff" stroke-width="1.2" />
</svg>`;

const PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-cache",
  "content-security-policy":
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};
