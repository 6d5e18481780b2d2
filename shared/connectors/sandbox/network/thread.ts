import type { Post } from "./documents.ts";
import { html, NOTHING, type Html } from "./html.ts";
import { BASE_PATH } from "./page.ts";
import type { Reactions } from "./readers.ts";

/** One thread, in order. `wanted` is the post whose address was opened. */
export function threadOf(
  posts: readonly Post[],
  { reactionsTo, wanted }: { reactionsTo: (post: Post) => Reactions; wanted?: string },
): Html {
  const items = posts.map((post, index) => {
    const place = posts.length > 1 ? `${index + 1} of ${posts.length}` : "";
    const isWanted = post.id === wanted;
    return html`<li>${article(post, { reactions: reactionsTo(post), place, isWanted })}</li>`;
  });
  return html`<ol class="thread">
    ${items}
  </ol>`;
}

export const toFeed = html`<nav class="back" aria-label="Practice network">
  <a href="${BASE_PATH}/"><span aria-hidden="true">←</span> All posts</a>
</nav>`;

interface Shown {
  readonly reactions: Reactions;
  /** Such as `2 of 3`; empty where the post stands alone. */
  readonly place: string;
  readonly isWanted: boolean;
}

function article(post: Post, { reactions, place, isWanted }: Shown): Html {
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
        <span>${post.handle}</span>
        <a href="${BASE_PATH}/posts/${post.id}">${time(post.publishedAt)}</a>
        ${place === "" ? NOTHING : html`<span class="place">${place}</span>`}
      </h2>
      ${post.text === "" ? NOTHING : html`<p class="text" dir="auto">${linked(post.text)}</p>`}
      ${pictures(post)} ${post.link === null ? NOTHING : card(post.link)} ${counts(reactions)}
    </div>
  </article>`;
}

const readable = new Intl.DateTimeFormat("en-US", {
  dateStyle: "medium",
  timeStyle: "short",
  timeZone: "UTC",
});

const time = (at: string) =>
  html`<time datetime="${at}">${readable.format(new Date(at))} UTC</time>`;

function pictures(post: Post): Html {
  if (post.pictures.length === 0) return NOTHING;
  const figures = post.pictures.map(
    ({ id, altText }) =>
      html`<figure>
        <a href="${BASE_PATH}/pictures/${id}">
          <img src="${BASE_PATH}/pictures/${id}" alt="${altText || "Picture"}" loading="lazy" />
        </a>
        <figcaption aria-hidden="true">
          <b>Alt text:</b> ${altText === "" ? html`<em>none was given</em>` : altText}
        </figcaption>
      </figure>`,
  );
  return html`<div class="pictures${figures.length > 1 ? " many" : ""}">${figures}</div>`;
}

/** What a reader would be shown of the page: we fetch nothing, so it is its address alone. */
function card(link: string): Html {
  const site = new URL(link).hostname.replace(/^www\./, "");
  return html`<a class="card" href="${link}" rel="${REL}"><b>${site}</b> ${breakable(link)}</a>`;
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

const REL = "nofollow noopener noreferrer";

const outward = (url: string) => html`<a href="${url}" rel="${REL}">${breakable(url)}</a>`;

/** A long address goes on in a new line after a slash, not within a word. */
const breakable = (url: string) =>
  url
    .split(/(?<=[^/:]\/)/)
    .map((piece, index) => (index > 0 ? html`<wbr />${piece}` : html`${piece}`));

const toneOf = (handle: string) => Buffer.from(handle).reduce((sum, byte) => sum + byte, 0) % 6;
