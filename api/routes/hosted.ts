import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Router, type Request as ExpressRequest, type Response as ExpressResponse } from "express";
import type { Context } from "../../shared/context.ts";
import { hostedDocuments } from "../../shared/db/hosted-documents.ts";

/** The platforms that Postwell hosts itself, each below its own name. They do their own sign-in. */
export function hostedRoutes({ connectors, db }: Context): Router {
  const routes = Router();
  for (const connector of connectors.values()) {
    const answer = connector.host?.(hostedDocuments(db, connector.id));
    if (!answer) continue;
    routes.use(`/${connector.id}`, async (req, res) => {
      await send(await answer(webRequest(req)), res);
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
  return new Request(url, { method, headers, body: Readable.toWeb(req), duplex: "half" });
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
