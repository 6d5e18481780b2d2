import { pipeline } from "node:stream/promises";
import { ReadableStream } from "node:stream/web";
import { Router, type Request as ExpressRequest, type Response as ExpressResponse } from "express";
import type { Context } from "../../shared/context.ts";
import { hostedDocuments } from "../../shared/db/hosted-documents.ts";

/** The platforms that Postwell hosts itself, each below its own name. They do their own sign-in. */
export function hostedRoutes({ connectors, db, settings }: Context): Router {
  const routes = Router();
  for (const [id, connector] of connectors) {
    const answer = connector.host?.(hostedDocuments(db, id), settings.get(id));
    if (!answer) continue;
    routes.use(`/${id}`, async (req, res) => {
      try {
        await send(await answer(webRequest(req)), res);
      } finally {
        readOn(req);
      }
    });
  }
  return routes;
}

function webRequest(req: ExpressRequest): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(req.headers)) {
    for (const one of [value ?? []].flat()) headers.append(name, one);
  }
  // Whatever host the client names: what is behind may look at the path alone.
  const url = `http://localhost${req.originalUrl}`;
  const { method } = req;
  if (method === "GET" || method === "HEAD") return new Request(url, { method, headers });
  // What is behind may stop reading in the middle: then the connection must live on, for its answer.
  const body = ReadableStream.from(req.iterator({ destroyOnReturn: false }));
  return new Request(url, { method, headers, body, duplex: "half" });
}

/** Larger than any body that is read on purpose. */
const MAX_UNREAD_BYTES = 20_000_000;

/** Takes what nobody wanted to read, within reason: a client that is still sending may not look at its answer yet. */
function readOn(req: ExpressRequest): void {
  let left = MAX_UNREAD_BYTES;
  req.on("data", (chunk: Buffer) => {
    left -= chunk.byteLength;
    if (left < 0) req.destroy();
  });
}

async function send(response: Response, res: ExpressResponse): Promise<void> {
  res.status(response.status);
  // Set, not added: what the platform says of its own pages replaces what we say of ours.
  response.headers.forEach((value, name) => res.set(name, value));
  if (response.body === null || res.req.method === "HEAD") {
    res.end();
    return;
  }
  await pipeline(response.body, res);
}
