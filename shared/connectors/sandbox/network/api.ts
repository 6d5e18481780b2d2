import type { Documents } from "../../connector.ts";
import { LIMITS } from "../limits.ts";
import { answer, readBody, Refusal } from "./answers.ts";
import type { Post } from "./documents.ts";
import { ownerOfPicture, storePicture } from "./pictures.ts";
import { findPost, NewPost, removePost, storePost } from "./posts.ts";
import type { Reactions } from "./readers.ts";
import { handleOf, openSession } from "./sessions.ts";

export interface Network {
  readonly documents: Documents;
  readonly now: () => Date;
  readonly reactionsTo: (post: Post) => Reactions;
}

export interface Address {
  /** Empty where the path has none. */
  readonly id: string;
  readonly query: URLSearchParams;
}

/** One route. Refuses by throwing a `Refusal`. */
export type Handle = (network: Network, request: Request, address: Address) => Promise<Response>;

/** Room for a text of the greatest length and its alt texts, every character escaped. */
const MAX_JSON_BYTES = 64_000;

export const signIn: Handle = async ({ documents }, request) => {
  const body = await readJson(request);
  const handle = typeof body === "object" && body !== null && "handle" in body ? body.handle : null;
  const token = await openSession(documents, handle);
  return answer(201, { handle, token });
};

export const readAccount: Handle = async ({ documents }, request) =>
  answer(200, { handle: await handleOf(documents, request) });

export const uploadPicture: Handle = async ({ documents }, request) => {
  const handle = await handleOf(documents, request);
  const id = await storePicture(documents, request, handle);
  return answer(201, { id, state: "ready" });
};

export const readPicture: Handle = async ({ documents }, request, { id }) => {
  if ((await ownerOfPicture(documents, id)) !== (await handleOf(documents, request))) {
    throw new Refusal(404, "picture_missing", "There is no such picture.");
  }
  return answer(200, { id, state: "ready" });
};

export const createPost: Handle = async ({ documents, now }, request) => {
  const handle = await handleOf(documents, request);
  const parsed = NewPost.safeParse(await readJson(request));
  if (!parsed.success) throw new Refusal(400, "malformed", "This is not a post.");
  const content = parsed.data;
  const { post, isNew } = await storePost(documents, handle, { content, now: now() });
  return answer(isNew ? 201 : 200, presentPost(post));
};

export const readPost: Handle = async ({ documents }, _, { id }) => {
  const post = await findPost(documents, id);
  if (!post) throw new Refusal(404, "post_missing", "There is no such post.");
  return answer(200, presentPost(post));
};

/** Those of the asked posts that are there, in the order in which they were asked for. */
export const readPosts: Handle = async ({ documents }, _, { query }) =>
  answer(200, { posts: (await findAsked(documents, query)).map(presentPost) });

export const deletePost: Handle = async ({ documents }, request, { id }) => {
  await removePost(documents, id, await handleOf(documents, request));
  return new Response(null, { status: 204 });
};

export const readReactions: Handle = async (network, request, { query }) => {
  await handleOf(network.documents, request);
  const posts = await findAsked(network.documents, query);
  return answer(200, {
    posts: posts.map((post) => ({ id: post.id, metrics: network.reactionsTo(post) })),
  });
};

async function findAsked(documents: Documents, query: URLSearchParams): Promise<Post[]> {
  const ids = (query.get("ids") ?? "").split(",");
  if (ids.length > LIMITS.readBatch) {
    throw new Refusal(400, "too_many", `At most ${LIMITS.readBatch} posts a request.`);
  }
  const found = await Promise.all(ids.map((id) => findPost(documents, id)));
  return found.filter((post) => post !== null);
}

const presentPost = (post: Post) => ({
  id: post.id,
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
