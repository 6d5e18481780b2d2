import { setTimeout as pause } from "node:timers/promises";
import { Router, type Response } from "express";
import * as z from "zod";
import type { Context } from "../../shared/context.ts";
import { eventsAfter, isAhead, type StoredEvent } from "../../shared/db/events.ts";
import { isTokenAlive } from "../../shared/db/tokens.ts";
import { AppError } from "../../shared/errors.ts";
import { actorOf } from "../http/actor.ts";
import { parse } from "../http/parse.ts";
import { serve, type Operation } from "../openapi/operation.ts";

const POLL_MS = 500;

/** Shorter than the minute after which proxies cut a silent connection; the token is looked at again, too. */
const HEARTBEAT_MS = 15_000;

/** How long a client waits before it comes back. */
const RETRY_MS = 2_000;
const BATCH = 200;

const Cursor = z.string().regex(/^\d{1,19}-\d{1,18}$/, "is not a cursor of this stream");

const EventsQuery = z.object({
  lastEventId: Cursor.optional().describe("As the header Last-Event-ID, for a first request."),
});

const EventsHeaders = z.object({
  "Last-Event-ID": Cursor.optional().describe("The id of the last event that you have seen."),
});

const stream: Operation = {
  method: "get",
  path: "/events",
  action: "events.read",
  summary: "Follow what changes",
  description:
    'Server-sent events: each says what changed, as {"type":"delivery.published","id":"…"}; read it again to see to what. ' +
    "Send the id of the last event that you have seen as Last-Event-ID, and none is missed.",
  query: EventsQuery,
  headers: EventsHeaders,
  problems: ["events.cursor_ahead"],
  answers: { 200: { description: "A stream without end", contentType: "text/event-stream" } },
};

export const eventOperations = [stream];

/** @param closing ends every stream, so that the process can stop */
export function eventRoutes(context: Context, closing: AbortSignal): Router {
  const routes = Router();

  serve(routes, stream, async (req, res) => {
    const { lastEventId: asked = null } = parse(EventsQuery, req.query);
    const headers = { "Last-Event-ID": req.get("Last-Event-ID") || undefined };
    const { "Last-Event-ID": lastSeen = asked } = parse(EventsHeaders, headers, "header");
    // The first look comes before the headers: if the database is away, that is still a proper refusal.
    const { workspaceId } = actorOf(res);
    if (lastSeen !== null && (await isAhead(context.db, lastSeen))) {
      throw cursorAhead(asked === lastSeen ? "lastEventId" : "header.Last-Event-ID");
    }
    const first = await eventsAfter(context.db, workspaceId, lastSeen, BATCH);
    const gone = new AbortController();
    res.on("close", () => gone.abort());
    res.set({
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store",
      "X-Accel-Buffering": "no",
    });
    // An id without data moves the client's cursor: to where it begins, so that it misses nothing if it is cut off before or
    // within the first events.
    const start = lastSeen ?? first.cursor;
    res.write(`retry: ${RETRY_MS}\nid: ${start}\n\n${first.events.map(asText).join("")}`);
    await follow(context, res, {
      cursor: first.cursor,
      signal: AbortSignal.any([gone.signal, closing]),
    });
    res.end();
  });

  return routes;
}

/** Nothing would come until the database had caught up, and nobody would know what was missed. */
function cursorAhead(path: string): AppError {
  const code = "events.cursor_ahead";
  const detail =
    "No event has had this id yet: it comes from another Postwell, or from before a backup was restored. Begin without one, and read again what you show.";
  return new AppError("invalid", code, detail, [{ path, code, detail }]);
}

/** Sends what comes, until the client is gone, the token has ended, or the process stops. */
async function follow(
  { db, log }: Context,
  res: Response,
  { cursor: start, signal }: { cursor: string; signal: AbortSignal },
): Promise<void> {
  const { workspaceId, tokenId } = actorOf(res);
  let cursor = start;
  let silentMs = 0;
  try {
    while (!signal.aborted) {
      const found = await eventsAfter(db, workspaceId, cursor, BATCH);
      cursor = found.cursor;
      silentMs = found.events.length > 0 ? 0 : silentMs + POLL_MS;
      const isBeat = silentMs >= HEARTBEAT_MS;
      if (isBeat) {
        silentMs = 0;
        if (!(await isTokenAlive(db, tokenId))) return;
      }
      const text = isBeat ? ": still here\n\n" : found.events.map(asText).join("");
      if (text !== "" && !res.write(text)) await drained(res, signal);
      if (found.events.length < BATCH) await pause(POLL_MS, undefined, { signal });
    }
  } catch (error) {
    if (signal.aborted) return;
    // The client comes back by itself, with its cursor.
    log.warn({ err: error, requestId: res.locals.requestId }, "event stream ended");
  }
}

function asText({ type, subjectId, cursor }: StoredEvent): string {
  return `id: ${cursor}\ndata: ${JSON.stringify({ type, id: subjectId })}\n\n`;
}

/** A client that reads slowly holds us up, not our memory. */
async function drained(res: Response, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    res.once("drain", resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
