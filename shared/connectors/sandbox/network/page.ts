import type { Post } from "./documents.ts";
import { html, NOTHING, type Html } from "./html.ts";
import type { Reactions } from "./readers.ts";

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
          <h1><a href="${BASE_PATH}/">Practice network</a></h1>
          <p class="tagline">A small social network inside Postwell</p>
        </div>
      </header>
      <main id="posts">
        <p class="notice" role="note">
          This is a practice network. Nothing here leaves this Postwell, and all readers and their
          reactions are simulated.
        </p>
        ${content}
      </main>
      <footer>Posts are published here by the Postwell platform “sandbox”.</footer>
    </body>
  </html>`;
  return new Response(`<!doctype html>${markup}`, { status, headers: PAGE_HEADERS });
}

/** One thread, in order. `wanted` is the post whose address was opened. */
export function threadOf(
  posts: readonly Post[],
  { reactionsTo, wanted }: { reactionsTo: (post: Post) => Reactions; wanted?: string },
): Html {
  const items = posts.map(
    (post) => html`<li>${article(post, reactionsTo(post), post.id === wanted)}</li>`,
  );
  return html`<ol class="thread">
    ${items}
  </ol>`;
}

export const emptyFeed = html`<p class="empty">
  Nothing has been published yet. The first post appears here.
</p>`;

export const missingPost = html`<p class="empty">
  This post is not here. It may have been removed.
</p>`;

function article(post: Post, reactions: Reactions, isWanted: boolean): Html {
  const time = post.publishedAt;
  const readable = `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;
  return html`<article
    class="post${isWanted ? " wanted" : ""}"
    id="p-${post.id}"
    aria-labelledby="w-${post.id}"
  >
    <div class="side" aria-hidden="true">
      <span class="face tone-${toneOf(post.handle)}">${post.handle.slice(1, 2).toUpperCase()}</span>
    </div>
    <div>
      <h2 class="who" id="w-${post.id}">
        ${post.handle}
        <a href="${BASE_PATH}/posts/${post.id}"><time datetime="${time}">${readable}</time></a>
      </h2>
      ${post.text === "" ? NOTHING : html`<p class="text" dir="auto">${linked(post.text)}</p>`}
      ${pictures(post)}
      ${post.link === null ? NOTHING : html`<p class="link">${outward(post.link)}</p>`}
      ${counts(reactions)}
    </div>
  </article>`;
}

function pictures(post: Post): Html {
  if (post.pictures.length === 0) return NOTHING;
  const figures = post.pictures.map(
    ({ id, altText }) =>
      html`<figure>
        <img src="${BASE_PATH}/pictures/${id}" alt="${altText}" loading="lazy" />
        <figcaption aria-hidden="true">
          <b>Alt text:</b> ${altText === "" ? "none was given" : altText}
        </figcaption>
      </figure>`,
  );
  return html`<div class="pictures${figures.length > 1 ? " many" : ""}">${figures}</div>`;
}

function counts(reactions: Reactions): Html {
  const items = Object.entries(reactions).map(
    ([name, count]) => html`<li>${name} <b>${count}</b></li>`,
  );
  return html`<ul class="counts" aria-label="Simulated reactions">
    ${items}
  </ul>`;
}

/** Text with its web addresses as links. Only http and https: any other scheme stays text. */
function linked(text: string): readonly Html[] {
  return text
    .split(/(https?:\/\/[^\s<>"]*[^\s<>".,;:!?'()\]])/u)
    .map((piece, index) => (index % 2 === 1 ? outward(piece) : html`${piece}`));
}

const outward = (url: string) =>
  html`<a href="${url}" rel="nofollow noopener noreferrer">${url}</a>`;

const toneOf = (handle: string) => Buffer.from(handle).reduce((sum, byte) => sum + byte, 0) % 6;

const PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-cache",
  "content-security-policy":
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};
