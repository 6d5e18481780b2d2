import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { setTimeout } from "node:timers/promises";
import * as z from "zod";
import {
  faultSwitches,
  listen,
  type Fault,
  type Simulator,
  type SimulatorOptions,
} from "../simulator.ts";
import { documentsInMemory } from "./memory.ts";
import { createNetwork } from "./network.ts";
import { HOST_KEY_HEADER } from "./network/host-key.ts";
import { simulatedReactions } from "./network/readers.ts";
import { createRecord, endSessions, type PostRecord } from "./simulator/record.ts";
import { trouble } from "./simulator/trouble.ts";
import { createUploads } from "./simulator/uploads.ts";
import { send, toRequest } from "./simulator/wire.ts";

export interface SandboxSimulatorOptions extends SimulatorOptions {
  /** What requests must bring to write, as at Postwell itself. Without it, whoever reaches the simulator may write. */
  readonly hostKey?: string;
}

/** The real practice network behind a server of its own, with the faults that every simulator knows. */
export async function startSimulator(options: SandboxSimulatorOptions = {}): Promise<Simulator> {
  const now = options.now ?? (() => new Date());
  const documents = documentsInMemory(now);
  const record = createRecord();
  const faults = faultSwitches();
  const ownKey = randomUUID();
  const network = createNetwork(documents, {
    hostKey: options.hostKey ?? ownKey,
    now,
    reactions: ({ id }, ageMs) => record.reactionsTo(id) ?? simulatedReactions(id, ageMs),
  });
  const answer = answering({ network, record, take: faults.take });
  const server = await listen(async (incoming, outgoing, body) => {
    if (options.latencyMs) await setTimeout(options.latencyMs);
    const request = toRequest(incoming, body);
    if (options.hostKey === undefined) request.headers.set(HOST_KEY_HEADER, ownKey);
    await answer({ request, body, outgoing });
  }, options.port);

  return {
    url: `${server.url}/sandbox`,
    account: (name) => ({ handle: handleOf(name) }),
    posts: record.posts,
    engage: record.engage,
    fault: faults.set,
    // A sign-in here is never renewed: once ended, it is ended for good.
    expireTokens: (name) => void endSessions(documents, handleOf(name)),
    close: server.close,
  };
}

/** Any name is good for an account; its handle, which `posts` tell without the sign, keeps what a handle may have. */
const handleOf = (name: string) => `@${name.toLowerCase().replace(/[^a-z0-9_-]+/g, "-")}`;

interface World {
  readonly network: (request: Request) => Promise<Response>;
  readonly record: PostRecord;
  readonly take: (name: Fault) => boolean;
}

interface Exchange {
  readonly request: Request;
  readonly body: Buffer;
  readonly outgoing: ServerResponse;
}

function answering(world: World): (exchange: Exchange) => Promise<void> {
  const { network, record, take } = world;
  const uploads = createUploads(take);
  return async (exchange) => {
    const { request, outgoing } = exchange;
    const path = new URL(request.url).pathname.replace(/^\/sandbox\/api/, "");
    const [, noun, id] = path.split("/", 3);
    const ask = () => network(request);
    switch (`${request.method} ${noun}${id ? "/" : ""}`) {
      case "POST posts":
        return commit(world, exchange);
      case "GET posts":
        return send(await readPosts(world, ask), outgoing);
      case "GET posts/":
        return send(await readPost(world, { id, ask }), outgoing);
      case "DELETE posts/": {
        const response = await ask();
        if (response.ok && id) record.forget(id);
        return send(response, outgoing);
      }
      case "POST pictures":
        return send(await uploads.upload(ask), outgoing);
      case "GET pictures/":
        return send(
          id && path === `/pictures/${id}` ? await uploads.look(id, ask) : await ask(),
          outgoing,
        );
      case "GET engagement":
        return send(await partial(await ask(), take), outgoing);
      default:
        return send(await ask(), outgoing);
    }
  };
}

/** The one request that makes a post public, and all that can go wrong around it. */
async function commit({ network, record, take }: World, exchange: Exchange): Promise<void> {
  const { request, body, outgoing } = exchange;
  if (take("commit_reset_before")) return void outgoing.destroy();
  if (take("commit_rate_limited")) {
    return send(trouble(429, "rate_limited", { "retry-after": "90" }), outgoing);
  }
  if (take("commit_unavailable")) return send(trouble(503, "down"), outgoing);
  if (take("commit_content_rejected")) return send(trouble(422, "text_refused"), outgoing);
  const answered = await network(request);
  if (!answered.ok) return send(answered, outgoing);
  const text = await answered.text();
  if (answered.status === 201) record.see(JSON.parse(text), body);
  if (take("commit_hang_after_success")) return;
  if (take("commit_reset_after_success")) return void outgoing.destroy();
  if (take("commit_unavailable_after_success")) return send(trouble(503, "down"), outgoing);
  if (take("commit_html_after_success")) return send(htmlPage(), outgoing);
  outgoing.writeHead(answered.status, Object.fromEntries(answered.headers)).end(text);
}

/** One own post: while reading lags behind, the newest is not there yet. */
async function readPost(
  { record, take }: World,
  { id, ask }: { id: string | undefined; ask: () => Promise<Response> },
): Promise<Response> {
  if (take("read_unavailable")) return trouble(503, "down");
  const isNewest = record.posts().at(-1)?.remoteId === id;
  return isNewest && take("read_lags") ? trouble(404, "post_missing") : ask();
}

const Shown = z.looseObject({
  text: z.string(),
  pictures: z.array(z.looseObject({ altText: z.string() })),
});

/** Posts by their ids, the newest of them as somebody else left it. */
async function readPosts({ take }: World, ask: () => Promise<Response>): Promise<Response> {
  if (take("read_unavailable")) return trouble(503, "down");
  const response = await ask();
  if (!response.ok) return response;
  const { posts } = z.object({ posts: z.array(Shown) }).parse(await response.json());
  const newest = posts.pop();
  if (newest && !take("read_missing")) posts.push(tamperedWith(newest, take));
  return Response.json({ posts });
}

function tamperedWith(post: z.infer<typeof Shown>, take: World["take"]): z.infer<typeof Shown> {
  const text = take("read_altered") ? `${post.text} Edited.` : post.text;
  const isMute = take("read_without_alt");
  const pictures = isMute ? post.pictures.map((each) => ({ ...each, altText: "" })) : post.pictures;
  return { ...post, text, pictures };
}

/** An object schema drops what it does not name: here, all but the likes. */
const Partial = z.object({
  posts: z.array(z.object({ id: z.string(), metrics: z.object({ likes: z.int().optional() }) })),
});

async function partial(response: Response, take: World["take"]): Promise<Response> {
  if (!response.ok || !take("metrics_partial")) return response;
  return Response.json(Partial.parse(await response.json()));
}

const htmlPage = () =>
  new Response("<!doctype html><title>Welcome</title>", {
    headers: { "content-type": "text/html" },
  });
