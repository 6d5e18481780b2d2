import * as z from "zod";
import type { Fault } from "../../simulator.ts";
import type { Accounts } from "./accounts.ts";
import { invalid } from "./lexicon.ts";
import { limiter, tooMany } from "./limits.ts";
import { NoAnswer } from "./no-answer.ts";
import { Refusal } from "./refusal.ts";
import type { Repo } from "./repo.ts";
import type { Views } from "./views.ts";

export interface Request {
  readonly params: URLSearchParams;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

export interface Reply {
  readonly json: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Method {
  readonly verb: "GET" | "POST";
  run(request: Request): Reply;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const SignIn = z.object({ identifier: z.string().min(1), password: z.string() });

interface Parts {
  readonly accounts: Accounts;
  readonly repo: Repo;
  readonly views: Views;
  readonly now: () => Date;
  readonly take: (name: Fault) => boolean;
}

/** The platform's methods by name, as far as a program that publishes needs them. */
export function methodsOf(parts: Parts): ReadonlyMap<string, Method> {
  return new Map([...sessionMethods(parts), ...writeMethods(parts), ...readMethods(parts)]);
}

function sessionMethods({ accounts, now }: Parts): [string, Method][] {
  const logins = limiter(
    [
      { points: 30, perMs: 5 * MINUTE_MS },
      { points: 300, perMs: DAY_MS },
    ],
    now,
  );
  return [
    [
      "com.atproto.server.createSession",
      {
        verb: "POST",
        run(request) {
          const input = SignIn.safeParse(jsonOf(request));
          if (!input.success) throw invalid("Input must have the property identifier");
          const { identifier, password } = input.data;
          const headers = logins(identifier.toLowerCase(), 1);
          return { json: accounts.signIn(identifier, password), headers };
        },
      },
    ],
    [
      "com.atproto.server.refreshSession",
      { verb: "POST", run: ({ authorization }) => ({ json: accounts.refresh(authorization) }) },
    ],
    [
      "com.atproto.server.getSession",
      {
        verb: "GET",
        run: ({ authorization }) => ({
          json: accounts.describe(accounts.authenticate(authorization)),
        }),
      },
    ],
  ];
}

function writeMethods({ accounts, repo, now, take }: Parts): [string, Method][] {
  const writes = limiter(
    [
      { points: 5000, perMs: HOUR_MS },
      { points: 35_000, perMs: DAY_MS },
    ],
    now,
  );
  const write = (points: number, run: "put" | "create" | "delete"): Method => ({
    verb: "POST",
    run(request) {
      const account = accounts.authenticate(request.authorization);
      const body = jsonOf(request);
      const headers = writes(account.did, points);
      if (run === "delete") return { json: repo.delete(account, body), headers };
      failBefore(take, now());
      const json = repo[run](account, body);
      failAfter(take);
      return { json, headers };
    },
  });
  return [
    ["com.atproto.repo.putRecord", write(2, "put")],
    ["com.atproto.repo.createRecord", write(3, "create")],
    ["com.atproto.repo.deleteRecord", write(1, "delete")],
    [
      "com.atproto.repo.uploadBlob",
      {
        verb: "POST",
        run({ authorization, contentType, body }) {
          const account = accounts.authenticate(authorization);
          if (take("upload_unavailable")) throw serverError();
          if (take("upload_invalid")) {
            throw new Refusal(400, "InvalidMimeType", "The file is not an image.");
          }
          return { json: repo.uploadBlob(account, contentType, body) };
        },
      },
    ],
  ];
}

function readMethods({ accounts, repo, views, take }: Parts): [string, Method][] {
  return [
    [
      "com.atproto.repo.getRecord",
      {
        verb: "GET",
        run({ params }) {
          if (take("read_unavailable")) throw serverError();
          return { json: repo.get(params) };
        },
      },
    ],
    [
      "app.bsky.feed.getPosts",
      {
        verb: "GET",
        run({ params }) {
          if (take("read_unavailable")) {
            throw new Refusal(502, "UpstreamFailure", "Upstream Failure");
          }
          return { json: views.getPosts(params, take) };
        },
      },
    ],
    [
      "com.atproto.identity.resolveHandle",
      {
        verb: "GET",
        run({ params }) {
          const account = accounts.find(params.get("handle") ?? "");
          if (!account) throw invalid("Unable to resolve handle");
          return { json: { did: account.did } };
        },
      },
    ],
  ];
}

function failBefore(take: Parts["take"], now: Date): void {
  if (take("commit_rate_limited")) {
    const waitMs = 5 * MINUTE_MS;
    const reset = Math.ceil((now.getTime() + waitMs) / 1000);
    const headers = { "ratelimit-limit": "5000", "ratelimit-remaining": "0" };
    throw tooMany({ ...headers, "ratelimit-reset": String(reset) }, waitMs);
  }
  if (take("commit_unavailable")) throw serverError();
  if (take("commit_reset_before")) throw new NoAnswer("reset");
  if (take("commit_content_rejected")) {
    throw invalid("Invalid app.bsky.feed.post record: Record/text is not acceptable");
  }
}

function failAfter(take: Parts["take"]): void {
  if (take("commit_unavailable_after_success")) throw serverError();
  if (take("commit_reset_after_success")) throw new NoAnswer("reset");
  if (take("commit_hang_after_success")) throw new NoAnswer("hang");
  if (take("commit_html_after_success")) throw new NoAnswer("html");
}

function jsonOf({ contentType = "", body }: Request): unknown {
  if (!contentType.startsWith("application/json")) {
    throw invalid(`Wrong request encoding (Content-Type): ${contentType}`);
  }
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw invalid("Input is no JSON");
  }
}

function serverError(): Refusal {
  return new Refusal(500, "InternalServerError", "Internal Server Error");
}
