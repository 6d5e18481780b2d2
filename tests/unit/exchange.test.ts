import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { exchange } from "../../shared/connectors/http.ts";

const ANSWERS: Readonly<Record<string, (response: ServerResponse) => void>> = {
  html: (response) => response.end("<html><body>Bad gateway</body></html>"),
  truncated: (response) => response.end('{"id": "1'),
  empty: (response) => response.writeHead(201).end(),
  "cut off": (response) => {
    response.writeHead(200, { "content-length": "1000" }).write('{"id":');
    response.socket?.destroySoon();
  },
  "5 MB": (response) => response.end(Buffer.alloc(5_000_000, "x")),
};

const server = createServer((request, response) => {
  ANSWERS[decodeURIComponent(request.url?.slice(1) ?? "")]?.(response);
});
let url = "";

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  url = typeof address === "object" && address ? `http://127.0.0.1:${address.port}` : "";
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

const commit = (what: string) =>
  exchange(fetch, { url: `${url}/${what}`, init: { method: "POST" } }, "unknown_outcome");

describe("an answer", () => {
  test.each(["html", "truncated", "empty"])(
    "that is %s is no JSON, whatever its status",
    async (what) => {
      expect((await commit(what)).json).toBeUndefined();
    },
  );

  test.each(["cut off", "5 MB"])("that is %s leaves the outcome unknown", async (what) => {
    await expect(commit(what)).rejects.toMatchObject({ kind: "unknown_outcome" });
  });
});
