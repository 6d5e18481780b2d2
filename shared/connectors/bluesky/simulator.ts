import type { IncomingMessage, ServerResponse } from "node:http";
import { faultSwitches, listen, type StartSimulator } from "../simulator.ts";
import { accountStore } from "./simulator/accounts.ts";
import { methodsOf, type Method, type Reply } from "./simulator/methods.ts";
import { NoAnswer } from "./simulator/no-answer.ts";
import { Refusal } from "./simulator/refusal.ts";
import { repoStore, simulatedPost } from "./simulator/repo.ts";
import { viewStore } from "./simulator/views.ts";

/**
 * A personal data server and the public AppView in one. `upload_processing` has no effect: images are ready at once.
 * `read_lags` concerns the AppView, as a data server shows its own writes immediately.
 */
export const startSimulator: StartSimulator = async (options = {}) => {
  const { now = () => new Date(), latencyMs = 0, port } = options;
  const faults = faultSwitches();
  const accounts = accountStore(now, () => server.url);
  const repo = repoStore(accounts, now);
  const views = viewStore(repo);
  const methods = methodsOf({ accounts, repo, views, now, take: faults.take });
  const server = await listen(async (incoming, response, body) => {
    const outcome = outcomeOf(methods, incoming, body);
    if (latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, latencyMs));
    answer(outcome, response);
  }, port);
  return {
    url: server.url,
    account(name) {
      const { handle, appPassword } = accounts.open(name);
      return { service: server.url, identifier: handle, appPassword };
    },
    posts: () => repo.entries.map(simulatedPost),
    engage: (remoteId, counts) => views.engage(remoteId, counts),
    fault: faults.set,
    expireTokens(name, expiry) {
      // Who has the app password can always sign in again: for good means that the person took it back.
      if (expiry?.forGood) accounts.revoke(name);
      else accounts.expire(name);
    },
    close: server.close,
  };
};

function outcomeOf(
  methods: ReadonlyMap<string, Method>,
  incoming: IncomingMessage,
  body: Buffer,
): Reply | Refusal | NoAnswer {
  try {
    const url = new URL(incoming.url ?? "/", "http://localhost");
    const method = methods.get(url.pathname.replace(/^\/xrpc\//, ""));
    if (!method) throw new Refusal(501, "MethodNotImplemented", "Method Not Implemented");
    if (method.verb !== incoming.method) {
      throw new Refusal(405, "InvalidRequest", `Incorrect HTTP method, expected ${method.verb}`);
    }
    const { authorization, "content-type": contentType } = incoming.headers;
    return method.run({ params: url.searchParams, authorization, contentType, body });
  } catch (error) {
    if (error instanceof Refusal || error instanceof NoAnswer) return error;
    throw error;
  }
}

function answer(outcome: Reply | Refusal | NoAnswer, response: ServerResponse): void {
  if (outcome instanceof NoAnswer) {
    if (outcome.how === "reset") response.destroy();
    if (outcome.how !== "html") return;
    response.writeHead(200, { "content-type": "text/html" });
    response.end("<!doctype html><title>One moment</title>");
    return;
  }
  const isRefusal = outcome instanceof Refusal;
  const json = isRefusal ? { error: outcome.code, message: outcome.message } : outcome.json;
  const headers = { ...outcome.headers, "content-type": "application/json; charset=utf-8" };
  response.writeHead(isRefusal ? outcome.status : 200, headers);
  response.end(JSON.stringify(json));
}
