import type { Documents } from "../connector.ts";
import { LIMITS } from "./limits.ts";
import { answer, readBody, Refusal, refusalAnswer } from "./network/answers.ts";
import type { Post } from "./network/documents.ts";
import { feedPage, postPage } from "./network/feed.ts";
import { createOnce, type Once } from "./network/once.ts";
import { BASE_PATH, missingPost, page } from "./network/page.ts";
import { ownerOfPicture, showPicture, storePicture } from "./network/pictures.ts";
import {
  findPost,
  lookBack,
  NewPost,
  recentPosts,
  removePost,
  storePost,
} from "./network/posts.ts";
import { simulatedReactions, type Reactions } from "./network/readers.ts";
import { handleOf, openSession } from "./network/sessions.ts";
import { STYLE } from "./network/style.ts";

/** What a simulator replaces: the clock and the simulated readers. */
export interface NetworkOptions {
  readonly now?: () => Date;
  readonly reactions?: (post: Post, ageMs: number) => Reactions;
}

/** The practice network: answers every request below `/sandbox`, with that prefix or without it. */
export function createNetwork(
  documents: Documents,
  options: NetworkOptions = {},
): (request: Request) => Promise<Response> {
  const network = networkOver(documents, options);
  return async (request) => {
    const url = new URL(request.url);
    const path = url.pathname.startsWith(BASE_PATH)
      ? url.pathname.slice(BASE_PATH.length)
      : url.pathname;
    const method = request.method === "HEAD" ? "GET" : request.method;
    for (const [verb, pattern, handle] of ROUTES) {
      const found = verb === method ? pattern.exec(path) : null;
      if (!found) continue;
      return handle(network, request, { id: found[1] ?? "", query: url.searchParams }).catch(
        refuse,
      );
    }
    return path.startsWith("/api/")
      ? refusalAnswer(new Refusal(404, "not_found", "There is no such address."))
      : page("Not found · Practice network", missingPost, 404);
  };
}

interface Network {
  readonly documents: Documents;
  readonly once: Once;
  readonly now: () => Date;
  readonly reactionsTo: (post: Post) => Reactions;
}

interface Address {
  readonly id: string;
  readonly query: URLSearchParams;
}

type Handle = (network: Network, request: Request, address: Address) => Promise<Response>;

const ROUTES: readonly (readonly [string, RegExp, Handle])[] = [
  ["GET", /^\/?$/, ({ documents, reactionsTo }) => feedPage(documents, reactionsTo)],
  [
    "GET",
    /^\/posts\/([\w-]+)$/,
    ({ documents, reactionsTo }, _, { id }) => postPage(documents, id, reactionsTo),
  ],
  ["GET", /^\/pictures\/([\w-]+)$/, ({ documents }, _, { id }) => showPicture(documents, id)],
  ["GET", /^\/style\.css$/, async () => new Response(STYLE, { headers: STYLE_HEADERS })],
  ["POST", /^\/api\/sessions$/, signIn],
  ["GET", /^\/api\/account$/, readAccount],
  ["POST", /^\/api\/pictures$/, uploadPicture],
  ["GET", /^\/api\/pictures\/([\w-]+)$/, readPicture],
  ["POST", /^\/api\/posts$/, createPost],
  ["GET", /^\/api\/posts$/, listPosts],
  ["GET", /^\/api\/posts\/([\w-]+)$/, readPost],
  ["DELETE", /^\/api\/posts\/([\w-]+)$/, deletePost],
  ["GET", /^\/api\/engagement$/, readReactions],
];

const STYLE_HEADERS = { "content-type": "text/css; charset=utf-8", "cache-control": "max-age=300" };

/** Room for a text of the greatest length and its alt texts, every character escaped. */
const MAX_JSON_BYTES = 64_000;

function networkOver(documents: Documents, options: NetworkOptions): Network {
  const now = options.now ?? (() => new Date());
  const reactions = options.reactions ?? (({ id }, ageMs) => simulatedReactions(id, ageMs));
  return {
    documents,
    once: createOnce(() => recentPosts(documents)),
    now,
    reactionsTo: (post) => reactions(post, now().getTime() - Date.parse(post.publishedAt)),
  };
}

async function signIn({ documents }: Network, request: Request): Promise<Response> {
  const body = await readJson(request);
  const handle = typeof body === "object" && body !== null && "handle" in body ? body.handle : null;
  const token = await openSession(documents, handle);
  return answer(201, { handle, token });
}

async function readAccount({ documents }: Network, request: Request): Promise<Response> {
  return answer(200, { handle: await handleOf(documents, request) });
}

async function uploadPicture({ documents }: Network, request: Request): Promise<Response> {
  const handle = await handleOf(documents, request);
  const id = await storePicture(documents, request, handle);
  return answer(201, { id, state: "ready" });
}

async function readPicture(
  { documents }: Network,
  request: Request,
  { id }: Address,
): Promise<Response> {
  if ((await ownerOfPicture(documents, id)) !== (await handleOf(documents, request))) {
    throw new Refusal(404, "picture_missing", "There is no such picture.");
  }
  return answer(200, { id, state: "ready" });
}

async function createPost(network: Network, request: Request): Promise<Response> {
  const { documents, once, now } = network;
  const handle = await handleOf(documents, request);
  const parsed = NewPost.safeParse(await readJson(request));
  if (!parsed.success) throw new Refusal(400, "malformed", "This is not a post.");
  const content = parsed.data;
  const store = () => storePost(documents, handle, { content, now: now() });
  const { id, stored } = await once.run(handle, content, store);
  const post = stored ?? (await findPost(documents, id));
  if (!post) throw new Refusal(410, "removed", "This post was published and removed since.");
  return answer(stored ? 201 : 200, presentPost(post));
}

async function listPosts(
  { documents }: Network,
  _: Request,
  { query }: Address,
): Promise<Response> {
  const { posts, reachesTo } = await lookBack(documents);
  const isWanted = (name: "handle" | "key", post: Post) =>
    !query.has(name) || query.get(name) === post[name];
  const wanted = posts.filter((post) => isWanted("handle", post) && isWanted("key", post));
  return answer(200, {
    posts: wanted.slice(-LIMITS.listMax).reverse().map(presentPost),
    reachesTo: reachesTo?.toISOString() ?? null,
  });
}

async function readPost({ documents }: Network, _: Request, { id }: Address): Promise<Response> {
  const post = await findPost(documents, id);
  if (!post) throw new Refusal(404, "post_missing", "There is no such post.");
  return answer(200, presentPost(post));
}

async function deletePost(
  { documents }: Network,
  request: Request,
  { id }: Address,
): Promise<Response> {
  await removePost(documents, id, await handleOf(documents, request));
  return new Response(null, { status: 204 });
}

async function readReactions(
  network: Network,
  request: Request,
  { query }: Address,
): Promise<Response> {
  await handleOf(network.documents, request);
  const ids = (query.get("ids") ?? "").split(",");
  if (ids.length > LIMITS.engagementBatch) {
    throw new Refusal(400, "too_many", `At most ${LIMITS.engagementBatch} posts a request.`);
  }
  const found = await Promise.all(ids.map((id) => findPost(network.documents, id)));
  const posts = found.filter((post) => post !== null);
  return answer(200, {
    posts: posts.map((post) => ({ id: post.id, metrics: network.reactionsTo(post) })),
  });
}

const presentPost = (post: Post) => ({
  id: post.id,
  key: post.key,
  handle: post.handle,
  text: post.text,
  link: post.link,
  pictures: post.pictures,
  parent: post.parent,
  publishedAt: post.publishedAt,
});

async function readJson(request: Request): Promise<unknown> {
  const body = await readBody(request, MAX_JSON_BYTES);
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new Refusal(400, "malformed", "The body is not JSON.");
  }
}

function refuse(error: unknown): Response {
  if (error instanceof Refusal) return refusalAnswer(error);
  throw error;
}
