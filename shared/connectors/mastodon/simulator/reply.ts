import type { ServerResponse } from "node:http";

/** An answer, or what a broken network makes of one. */
export type Reply =
  | { readonly status: number; readonly json: unknown; readonly headers?: Record<string, string> }
  | { readonly status: number; readonly html: string }
  | "cut"
  | "silence";

export function refused(status: number, error: string): Reply {
  return { status, json: { error } };
}

/** A proxy's page, with digits that a careless reader could take for a status or a post. */
export function errorPage(status: number): Reply {
  return {
    status,
    html: `<!DOCTYPE html><html><head><title>${status}</title></head><body><h1>We're sorry</h1><p>Ray 401429490</p></body></html>`,
  };
}

export function send(
  response: ServerResponse,
  reply: Reply,
  headers: Readonly<Record<string, string>>,
): void {
  if (reply === "silence") return;
  if (reply === "cut") {
    response.destroy();
    return;
  }
  if ("html" in reply) {
    response.writeHead(reply.status, { "content-type": "text/html; charset=utf-8", ...headers });
    response.end(reply.html);
    return;
  }
  response.writeHead(reply.status, {
    "content-type": "application/json; charset=utf-8",
    ...headers,
    ...reply.headers,
  });
  response.end(JSON.stringify(reply.json));
}
