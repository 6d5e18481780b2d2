import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import {
  faultSwitches,
  listen,
  type SimulatedPost,
  type Simulator,
  type SimulatorOptions,
} from "../simulator.ts";
import { authorize, lacksScope, readMe, renewTokens, unauthorized } from "./simulator/accounts.ts";
import { createPost, deletePost } from "./simulator/posting.ts";
import { readPosts, readTimeline } from "./simulator/reading.ts";
import {
  problem,
  write,
  type Authorized,
  type Incoming,
  type Reply,
  type Trap,
} from "./simulator/reply.ts";
import {
  appendSegment,
  beginUpload,
  describeUpload,
  finishUpload,
  readStatus,
} from "./simulator/uploads.ts";
import {
  accountOf,
  createWorld,
  issueTokens,
  type Account,
  type StoredPost,
  type World,
} from "./simulator/world.ts";

/** The simulated X, with what only X has. */
export interface XSimulator extends Simulator {
  /** Like `fault`, for what only X does. */
  trap(name: Trap, times: number): void;
  /** From now on renewals must come from this developer app. Before, any app is accepted. */
  registerApp(app: { clientId: string; clientSecret: string | null }): void;
  /** What the account's owner has allowed the app to do. All that we ask for, at first. */
  grant(name: string, scopes: readonly string[]): void;
  /** X's limit of 100 posts in 15 minutes. Off at first, so that a bench can go faster than X. */
  enforceRateLimits(): void;
  /** From now on using a spent refresh token ends every token of the account. X does not say whether it does so; OAuth asks for it. */
  detectReuse(): void;
  /** Requests so far, as `POST /2/tweets`. */
  requests(): readonly string[];
  /** How many connections carried them. */
  connections(): number;
}

/** Starts an X on loopback. Everything in it is gone when it is closed. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<XSimulator> {
  const world = createWorld(options.now ?? (() => new Date()));
  const faults = faultSwitches();
  const traps = trapSwitches();
  const seen: string[] = [];
  const sockets = new WeakSet<Socket>();
  let connections = 0;
  const server = await listen(async (request, response, body) => {
    const url = new URL(request.url ?? "/", "http://x.invalid");
    if (!sockets.has(request.socket)) connections++;
    sockets.add(request.socket);
    seen.push(`${request.method} ${url.pathname}`);
    const reply = answer({ world, request, url, body, take: faults.take, springs: traps.take });
    if (options.latencyMs) await pause(options.latencyMs);
    write(reply, response);
  }, options.port);
  return {
    url: server.url,
    close: server.close,
    fault: faults.set,
    trap: traps.set,
    requests: () => seen,
    connections: () => connections,
    ...operations(world),
  };
}

type Operations = Omit<XSimulator, "url" | "close" | "fault" | "trap" | "requests" | "connections">;

function operations(world: World): Operations {
  return {
    account(name) {
      const tokens = issueTokens(world, accountOf(world, name));
      return { ...tokens, expiresAt: tokens.expiresAt.toISOString() };
    },
    posts: () => world.posts.map(simulatedPost),
    engage(remoteId, counts) {
      const post = world.postById.get(remoteId);
      if (!post) throw new Error(`There is no post ${remoteId}`);
      post.metrics = counts;
    },
    expireTokens(name, { forGood } = { forGood: false }) {
      const isOf = (account: Account): boolean => account.name === name;
      deleteWhere(world.accessTokens, ({ account }) => isOf(account));
      if (forGood) deleteWhere(world.refreshTokens, isOf);
    },
    registerApp(app) {
      world.app = app;
    },
    grant(name, scopes) {
      accountOf(world, name).scopes = scopes;
    },
    enforceRateLimits() {
      world.enforcesRateLimits = true;
    },
    detectReuse() {
      world.detectsReuse = true;
    },
  };
}

function deleteWhere<T>(map: Map<string, T>, matches: (value: T) => boolean): void {
  for (const [key, value] of map) if (matches(value)) map.delete(key);
}

function simulatedPost({ author, id, ...post }: StoredPost): SimulatedPost {
  const { text, altTexts, parent, at, removed } = post;
  return { account: author.name, remoteId: id, text, altTexts, parent, at, removed };
}

type Endpoint = (incoming: Authorized, id: string) => Reply;

const ENDPOINTS: readonly (readonly [string, RegExp, string, Endpoint])[] = [
  ["POST", /^\/2\/tweets$/, "tweet.write", createPost],
  ["GET", /^\/2\/tweets$/, "tweet.read", readPosts],
  ["DELETE", /^\/2\/tweets\/(\d+)$/, "tweet.write", deletePost],
  ["GET", /^\/2\/users\/me$/, "users.read", readMe],
  ["GET", /^\/2\/users\/(\d+)\/tweets$/, "tweet.read", readTimeline],
  ["POST", /^\/2\/media\/upload\/initialize$/, "media.write", beginUpload],
  ["POST", /^\/2\/media\/upload\/(\d+)\/append$/, "media.write", appendSegment],
  ["POST", /^\/2\/media\/upload\/(\d+)\/finalize$/, "media.write", finishUpload],
  ["GET", /^\/2\/media\/upload$/, "media.write", readStatus],
  ["POST", /^\/2\/media\/metadata$/, "media.write", describeUpload],
];

function answer(incoming: Incoming): Reply {
  const { world, request, url } = incoming;
  if (request.method === "POST" && url.pathname === "/2/oauth2/token") return renewTokens(incoming);
  const account = authorize(world, request.headers.authorization);
  if (!account) return unauthorized();
  for (const [method, path, scope, endpoint] of ENDPOINTS) {
    const match = method === request.method ? path.exec(url.pathname) : null;
    if (!match) continue;
    return lacksScope(account, scope) ?? endpoint({ ...incoming, account }, match[1] ?? "");
  }
  return problem(404, "Not Found", `There is no ${request.method} ${url.pathname}`);
}

function trapSwitches(): { set: XSimulator["trap"]; take: (name: Trap) => boolean } {
  const left = new Map<Trap, number>();
  return {
    set: (name, times) => void left.set(name, times),
    take(name) {
      const times = left.get(name) ?? 0;
      if (times > 0) left.set(name, times - 1);
      return times > 0;
    },
  };
}
