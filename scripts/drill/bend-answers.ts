import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import * as z from "zod";

/** What a drill changes about a simulator's answers from outside. */
export interface BentAnswers {
  /** From now on and for a while, answers of the server at this address come later; what they answer has happened. */
  answerLate(url: string, how: { byMs: number; forMs: number }): void;
}

/** A platform asks for minutes, a drill lasts minutes: what is told to wait may come back after this. */
const SHORT_WAIT_MS = 3_000;

const Started = z.object({
  request: z.custom<IncomingMessage>(),
  response: z.custom<ServerResponse>(),
});

/** Concerns every HTTP server of this process. */
export function bendAnswers(): BentAnswers {
  const late = new Map<string, { byMs: number; until: number }>();
  subscribe("http.server.request.start", (message) => {
    const { request, response } = Started.parse(message);
    shortenWaits(response);
    const port = String(request.socket.localPort);
    const lateness = late.get(port);
    if (lateness && performance.now() < lateness.until) delayEnd(response, lateness.byMs);
  });
  return {
    answerLate(url, { byMs, forMs }) {
      late.set(new URL(url).port, { byMs, until: performance.now() + forMs });
    },
  };
}

function delayEnd(response: ServerResponse, byMs: number): void {
  const end = response.end.bind(response);
  response.end = (...given: unknown[]) => {
    setTimeout(() => Reflect.apply(end, response, given), byMs);
    return response;
  };
}

function shortenWaits(response: ServerResponse): void {
  const writeHead = response.writeHead.bind(response);
  response.writeHead = (status: number, ...given: unknown[]) => {
    const headers = status === 429 ? given.map(shortened) : given;
    return Reflect.apply(writeHead, response, [status, ...headers]);
  };
}

function shortened(headers: unknown): unknown {
  if (typeof headers !== "object" || headers === null) return headers;
  const entries = Object.entries(headers).map(([name, value]) => [
    name,
    /^retry-after$|reset$/i.test(name) ? soon(String(value)) : value,
  ]);
  return Object.fromEntries(entries);
}

/** In the form that the platform uses: an instant, seconds since 1970, or seconds from now. */
function soon(value: string): string {
  const at = new Date(Date.now() + SHORT_WAIT_MS);
  if (!/^\d+$/.test(value)) return at.toISOString();
  const seconds = Number(value) > 1e9 ? Math.ceil(at.getTime() / 1_000) : SHORT_WAIT_MS / 1_000;
  return String(seconds);
}
