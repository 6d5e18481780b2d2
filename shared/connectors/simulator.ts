import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Metric } from "./connector.ts";

/**
 * A platform's stand-in: a real HTTP server that behaves as the platform's documentation says, and misbehaves on demand.
 * A folder under `shared/connectors/` exports one as `startSimulator`. What it has seen is the truth that a demo, a drill
 * and the contract tests are checked against.
 */
export interface Simulator {
  /** Without a slash at its end. Given to the connector as its `baseUrl` setting. */
  readonly url: string;
  /** Makes an account and returns credentials for it, as a person would get them from the platform. */
  account(name: string): unknown;
  /** Every post that is or was public, oldest first. A post that was published twice is there twice. */
  posts(): readonly SimulatedPost[];
  /** Sets what a published post has earned; a metric that is not given is not reported where the platform allows that. */
  engage(remoteId: string, counts: Partial<Record<Metric, number>>): void;
  /** Switches a fault on for the next `times` requests that it concerns; 0 switches it off. */
  fault(name: Fault, times: number): void;
  /** Makes every access token of an account invalid; a refresh token goes on working unless `forGood`. */
  expireTokens(name: string, options?: { forGood: boolean }): void;
  close(): Promise<void>;
}

export type StartSimulator = (options?: SimulatorOptions) => Promise<Simulator>;

export interface SimulatorOptions {
  /** The platform's clock. */
  readonly now?: () => Date;
  /** Time between a request and its answer. */
  readonly latencyMs?: number;
  readonly port?: number;
}

export interface SimulatedPost {
  readonly account: string;
  readonly remoteId: string;
  /** As it was sent, before any rewriting by the platform. */
  readonly text: string;
  readonly altTexts: readonly string[];
  /** Remote id of the post that this one answers. */
  readonly parent: string | null;
  readonly at: Date;
  readonly removed: boolean;
}

/** Faults that every simulator knows. `commit_*` concern only the request that makes a post public. */
export const FAULTS = [
  /** 429 with the platform's own way of saying when to come back. */
  "commit_rate_limited",
  /** 5xx before anything was done. */
  "commit_unavailable",
  /** 5xx although the post is public. */
  "commit_unavailable_after_success",
  /** The connection is cut although the post is public. */
  "commit_reset_after_success",
  /** The connection is cut before anything was done. */
  "commit_reset_before",
  /** The post is public, but the answer never comes. */
  "commit_hang_after_success",
  /** 200 or 201 with an HTML page instead of JSON; the post is public. */
  "commit_html_after_success",
  /** The platform refuses the text. */
  "commit_content_rejected",
  /** The upload of media fails with 5xx. */
  "upload_unavailable",
  /** Media is accepted but needs time: not ready at the first two looks. */
  "upload_processing",
  /** The platform finds the media broken. */
  "upload_invalid",
  /** Reading own posts fails with 5xx. */
  "read_unavailable",
  /** Reading own posts does not show the newest ones yet. */
  "read_lags",
  /** Metrics come without some of their fields. */
  "metrics_partial",
  /** Of the published posts that are asked for by id, the newest one has other words than it was sent with. */
  "read_altered",
  /** It is not shown. */
  "read_missing",
  /** It is shown without its alt texts. */
  "read_without_alt",
] as const;

export type Fault = (typeof FAULTS)[number];

/** Counts down the faults that are switched on. */
export function faultSwitches(): { set: Simulator["fault"]; take: (name: Fault) => boolean } {
  const left = new Map<Fault, number>();
  return {
    set: (name, times) => void left.set(name, times),
    take(name) {
      const times = left.get(name) ?? 0;
      if (times > 0) left.set(name, times - 1);
      return times > 0;
    },
  };
}

/** Starts an HTTP server on loopback; a handler that throws answers 500 and says so on the console of the test. */
export async function listen(
  handle: (request: IncomingMessage, response: ServerResponse, body: Buffer) => Promise<void>,
  port = 0,
): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    readBody(request)
      .then((body) => handle(request, response, body))
      .catch((error: unknown) => {
        process.stderr.write(`simulator: ${String(error)}\n`);
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return { url: `http://127.0.0.1:${address.port}`, close: () => closeServer(server) };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) {
    if (chunk instanceof Uint8Array) chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
