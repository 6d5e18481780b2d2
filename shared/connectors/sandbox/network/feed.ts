import type { Documents } from "../../connector.ts";
import type { Post } from "./documents.ts";
import { html } from "./html.ts";
import { emptyFeed, missingPost, page } from "./page.ts";
import { findPost, recentPosts } from "./posts.ts";
import type { Reactions } from "./readers.ts";
import { threadOf, toFeed } from "./thread.ts";

const THREADS_ON_FEED = 50;

/** The newest threads, newest first; the parts of a thread stand together in order. */
export async function feedPage(
  documents: Documents,
  reactionsTo: (post: Post) => Reactions,
): Promise<Response> {
  const newest = threadsOf(await recentPosts(documents))
    .reverse()
    .slice(0, THREADS_ON_FEED);
  const content = newest.map((posts) => threadOf(posts, { reactionsTo }));
  return page("Practice network", content.length > 0 ? html`${content}` : emptyFeed);
}

/** One post at its own address, with the thread that it belongs to. */
export async function postPage(
  documents: Documents,
  id: string,
  reactionsTo: (post: Post) => Reactions,
): Promise<Response> {
  const post = await findPost(documents, id);
  if (!post) return page("Not found · Practice network", missingPost, 404);
  const thread = await threadAround(documents, post);
  const content = threadOf(thread, { reactionsTo, wanted: id });
  return page(`${post.handle} on the practice network`, html`${toFeed}${content}`);
}

/** An old thread may have left the newest documents: then what is found by id stands for it. */
async function threadAround(documents: Documents, post: Post): Promise<readonly Post[]> {
  const root = post.root ?? post.id;
  const recent = await recentPosts(documents);
  const thread = recent.filter((other) => (other.root ?? other.id) === root);
  if (thread.some(({ id }) => id === post.id)) return thread;
  const first = post.root === null ? null : await findPost(documents, post.root);
  return first ? [first, post] : [post];
}

/** In the order of their first parts. */
function threadsOf(posts: readonly Post[]): (readonly Post[])[] {
  const threads = new Map<string, Post[]>();
  for (const post of posts) {
    const root = post.root ?? post.id;
    const thread = threads.get(root);
    if (thread) thread.push(post);
    else threads.set(root, [post]);
  }
  return [...threads.values()];
}
