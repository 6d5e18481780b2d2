import { once } from "node:events";
import { createServer } from "node:http";
import { v7 as uuidv7 } from "uuid";
import { createApp } from "../../api/app.ts";
import { createToken } from "../../shared/commands/create-token.ts";
import type { Actor, Context } from "../../shared/context.ts";
import type { Scope } from "../../shared/domain/permission.ts";
import type { FieldError } from "../../shared/errors.ts";

/** Enough of any answer to reach into; a test that needs more names its own type. */
export interface AnyBody {
  readonly id: string;
  readonly code: string;
  readonly detail: string;
  readonly state: string;
  readonly errors: readonly FieldError[];
  readonly items: readonly AnyBody[];
  readonly nextCursor: string | null;
  readonly [field: string]: unknown;
}

export interface ApiAnswer<Body> {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON; the text where it is no JSON; undefined where there is none. */
  readonly body: Body;
}

type Headers_ = Readonly<Record<string, string>>;

/** Asks on somebody's behalf, over real HTTP. Paths are below `/api/v1`. */
export interface ApiClient {
  readonly actor: Actor;
  /** Value of the header, for requests of another kind. */
  readonly authorization: string;
  get<Body = AnyBody>(path: string, headers?: Headers_): Promise<ApiAnswer<Body>>;
  post<Body = AnyBody>(path: string, body?: unknown, headers?: Headers_): Promise<ApiAnswer<Body>>;
  patch<Body = AnyBody>(path: string, body: unknown, headers?: Headers_): Promise<ApiAnswer<Body>>;
  delete<Body = AnyBody>(path: string, headers?: Headers_): Promise<ApiAnswer<Body>>;
}

/** The API, listening on a port of its own. */
export interface TestApi {
  /** Without a slash at its end. */
  readonly url: string;
  /** A client with a fresh token, in a new workspace or in a given one. */
  signIn(options?: { scope?: Scope; workspaceId?: string }): Promise<ApiClient>;
  /** A request of any kind; `path` is the whole path. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** As a process does that was asked to stop, before it closes. */
  beginClosing(): void;
  close(): Promise<void>;
}

export async function startApi(context: Context): Promise<TestApi> {
  const closing = new AbortController();
  const server = createServer(createApp(context, closing.signal));
  // An idle connection that ends while a test uses it again would look like a fault of ours.
  server.keepAliveTimeout = 75_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const url = `http://127.0.0.1:${address.port}`;
  return {
    url,
    signIn: (options = {}) => signIn(context, url, options),
    fetch: (path, init) => fetch(url + path, init),
    beginClosing: () => closing.abort(),
    async close() {
      closing.abort();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** In ascending order: which of several is served first is open. */
export const statusesOf = (answers: readonly { status: number }[]) =>
  answers.map(({ status }) => status).toSorted((a, b) => a - b);

async function signIn(
  context: Context,
  url: string,
  options: { scope?: Scope; workspaceId?: string },
): Promise<ApiClient> {
  const { scope = "admin", workspaceId = uuidv7() } = options;
  await context.db
    .insertInto("workspaces")
    .values({ id: workspaceId, name: "Heart Center" })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const made = { workspaceId, name: "Test", scope, lastsDays: null };
  const { id: tokenId, token } = await createToken(context, made);
  const authorization = `Bearer ${token}`;
  const ask = <Body>(method: string, path: string, body: unknown, headers: Headers_ = {}) =>
    request<Body>(`${url}/api/v1${path}`, {
      method,
      headers: { authorization, ...contentType(body), ...headers },
      ...bodyInit(body),
    });
  return {
    actor: { workspaceId, tokenId, scope },
    authorization,
    get: (path, headers) => ask("GET", path, undefined, headers),
    post: (path, body, headers) => ask("POST", path, body, headers),
    patch: (path, body, headers) => ask("PATCH", path, body, headers),
    delete: (path, headers) => ask("DELETE", path, undefined, headers),
  };
}

/** A form goes as it is, everything else as JSON. */
function bodyInit(body: unknown): { body?: FormData | string } {
  if (body === undefined) return {};
  return { body: body instanceof FormData ? body : JSON.stringify(body) };
}

function contentType(body: unknown): Headers_ {
  if (body === undefined || body instanceof FormData) return {};
  return { "content-type": "application/json" };
}

async function request<Body>(url: string, init: RequestInit): Promise<ApiAnswer<Body>> {
  const response = await fetch(url, init);
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") ?? false;
  // `JSON.parse` gives `any`, which is what a test asks for here: it names the shape that it expects.
  const body: Body = JSON.parse(isJson ? text : JSON.stringify(text === "" ? null : text));
  return { status: response.status, headers: response.headers, body };
}
