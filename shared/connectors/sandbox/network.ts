import type { Documents } from "../connector.ts";
import { Refusal, refusalAnswer } from "./network/answers.ts";
import * as api from "./network/api.ts";
import type { Post } from "./network/documents.ts";
import { feedPage, postPage } from "./network/feed.ts";
import { requireHostKey } from "./network/host-key.ts";
import { BASE_PATH, missingPost, page } from "./network/page.ts";
import { showPicture } from "./network/pictures.ts";
import { simulatedReactions, type Reactions } from "./network/readers.ts";
import { STYLE } from "./network/style.ts";

export interface NetworkOptions {
  /** Required of every request that changes something. Without one, nobody can. */
  readonly hostKey: string | undefined;
  /** What a simulator replaces: the clock and the simulated readers. */
  readonly now?: () => Date;
  readonly reactions?: (post: Post, ageMs: number) => Reactions;
}

/** The practice network: answers every request below `/sandbox`, with that prefix or without it. */
export function createNetwork(
  documents: Documents,
  options: NetworkOptions,
): (request: Request) => Promise<Response> {
  const network = networkOver(documents, options);
  return async (request) => {
    const url = new URL(request.url);
    const path = url.pathname.startsWith(BASE_PATH)
      ? url.pathname.slice(BASE_PATH.length)
      : url.pathname;
    const method = request.method === "HEAD" ? "GET" : request.method;
    try {
      if (method !== "GET") requireHostKey(request, options.hostKey);
      for (const [verb, pattern, handle] of ROUTES) {
        const found = verb === method ? pattern.exec(path) : null;
        if (found) return await handle(network, request, addressOf(found, url));
      }
      if (!path.startsWith("/api/")) return page("Not found · Practice network", missingPost, 404);
      throw new Refusal(404, "not_found", "There is no such address.");
    } catch (error) {
      if (error instanceof Refusal) return refusalAnswer(error);
      throw error;
    }
  };
}

const ROUTES: readonly (readonly [string, RegExp, api.Handle])[] = [
  ["GET", /^\/?$/, ({ documents, reactionsTo }) => feedPage(documents, reactionsTo)],
  [
    "GET",
    /^\/posts\/([\w-]+)$/,
    ({ documents, reactionsTo }, _, { id }) => postPage(documents, id, reactionsTo),
  ],
  ["GET", /^\/pictures\/([\w-]+)$/, ({ documents }, _, { id }) => showPicture(documents, id)],
  ["GET", /^\/style\.css$/, async () => new Response(STYLE, { headers: STYLE_HEADERS })],
  ["POST", /^\/api\/sessions$/, api.signIn],
  ["GET", /^\/api\/account$/, api.readAccount],
  ["POST", /^\/api\/pictures$/, api.uploadPicture],
  ["GET", /^\/api\/pictures\/([\w-]+)$/, api.readPicture],
  ["POST", /^\/api\/posts$/, api.createPost],
  ["GET", /^\/api\/posts$/, api.readPosts],
  ["GET", /^\/api\/posts\/([\w-]+)$/, api.readPost],
  ["DELETE", /^\/api\/posts\/([\w-]+)$/, api.deletePost],
  ["GET", /^\/api\/engagement$/, api.readReactions],
];

const STYLE_HEADERS = { "content-type": "text/css; charset=utf-8", "cache-control": "max-age=300" };

function networkOver(documents: Documents, options: NetworkOptions): api.Network {
  const now = options.now ?? (() => new Date());
  const reactions = options.reactions ?? (({ id }, ageMs) => simulatedReactions(id, ageMs));
  return {
    documents,
    now,
    reactionsTo: (post) => reactions(post, now().getTime() - Date.parse(post.publishedAt)),
  };
}

const addressOf = (found: RegExpExecArray, url: URL): api.Address => ({
  id: found[1] ?? "",
  query: url.searchParams,
});
