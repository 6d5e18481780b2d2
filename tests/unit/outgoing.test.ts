import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { types } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createFetch, isPublicAddress } from "../../shared/outgoing.ts";

interface Seen {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let server: Server;
let port: number;
const seen: Seen[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const { method = "", headers, url } = request;
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      seen.push({ method, headers, body });
      if (url === "/moved") response.writeHead(302, { location: "/secret" });
      response.end("hello");
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address: AddressInfo | string | null = server.address();
  port = typeof address === "object" && address ? address.port : 0;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** The first code in the chain of causes. Node's own errors are no `Error` of the test's realm. */
async function codeOf(answer: Promise<unknown>): Promise<string | null> {
  let error = await answer.then(
    () => null,
    (reason: unknown) => reason,
  );
  while (types.isNativeError(error)) {
    if ("code" in error && typeof error.code === "string") return error.code;
    error = error.cause;
  }
  return null;
}

describe("refuses", () => {
  const hosts = [
    "127.0.0.1",
    "localhost",
    "2130706433",
    "0x7f.1",
    "0.0.0.0",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
  ];

  test.each(hosts)("%s, before anything is sent", async (host) => {
    seen.length = 0;
    const fetcher = createFetch({ allowPrivateHosts: [] });

    const code = await codeOf(fetcher(`http://${host}:${port}/`));

    expect(code).toBe("POSTWELL_PRIVATE_ADDRESS");
    expect(seen).toEqual([]);
  });

  test.each(["10.0.0.1", "169.254.169.254", "[fd00::1]"])(
    "the private address %s",
    async (host) => {
      const code = await codeOf(createFetch({ allowPrivateHosts: [] })(`https://${host}/`));

      expect(code).toBe("POSTWELL_PRIVATE_ADDRESS");
    },
  );

  test.each(["file:///etc/hostname", "data:text/plain,hello", "ftp://example.org/"])(
    "%s, which is not on the web",
    async (url) => {
      expect(await codeOf(createFetch({ allowPrivateHosts: [] })(url))).toBe(
        "POSTWELL_PRIVATE_ADDRESS",
      );
    },
  );

  test("an allowed host on a port that is not", async () => {
    const fetcher = createFetch({ allowPrivateHosts: [`127.0.0.1:${port + 1}`] });

    expect(await codeOf(fetcher(`http://127.0.0.1:${port}/`))).toBe("POSTWELL_PRIVATE_ADDRESS");
  });

  test("another name of an allowed address", async () => {
    const fetcher = createFetch({ allowPrivateHosts: ["127.0.0.1"] });

    expect(await codeOf(fetcher(`http://localhost:${port}/`))).toBe("POSTWELL_PRIVATE_ADDRESS");
  });
});

describe("reaches an allowed host", () => {
  test("on any port when the host alone is named, whatever its case", async () => {
    const fetcher = createFetch({ allowPrivateHosts: ["LOCALHOST"] });

    const response = await fetcher(`http://localhost:${port}/`);

    expect(await response.text()).toBe("hello");
  });

  test("on the named port", async () => {
    const fetcher = createFetch({ allowPrivateHosts: [`127.0.0.1:${port}`] });

    const response = await fetcher(new URL(`http://127.0.0.1:${port}/`));

    expect(response.status).toBe(200);
  });

  test("and hands a redirect to the caller instead of following it", async () => {
    seen.length = 0;
    const fetcher = createFetch({ allowPrivateHosts: ["127.0.0.1"] });

    const response = await fetcher(`http://127.0.0.1:${port}/moved`, { redirect: "follow" });

    expect(response.status).toBe(302);
    expect(response.headers.get("location")).toBe("/secret");
    expect(seen).toHaveLength(1);
  });

  test("with a form of Node's own, files included", async () => {
    seen.length = 0;
    const form = new FormData();
    form.append("description", "A heart");
    form.append("file", new Blob(["pixels"], { type: "image/png" }), "heart.png");
    const fetcher = createFetch({ allowPrivateHosts: ["127.0.0.1"] });

    await fetcher(`http://127.0.0.1:${port}/`, { method: "POST", body: form });

    expect(seen[0]?.headers["content-type"]).toMatch(/^multipart\/form-data; boundary=/);
    expect(seen[0]?.body).toContain('filename="heart.png"');
    expect(seen[0]?.body).toContain("pixels");
    expect(seen[0]?.body).toContain("A heart");
  });

  test("with a request object", async () => {
    seen.length = 0;
    const url = `http://127.0.0.1:${port}/`;
    const request = new Request(url, { method: "PUT", body: "x", headers: { "x-one": "1" } });

    await createFetch({ allowPrivateHosts: ["127.0.0.1"] })(request);

    expect(seen[0]).toMatchObject({ method: "PUT", body: "x", headers: { "x-one": "1" } });
  });

  test("and says when nobody listens there", async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => {
      closed.listen(0, "127.0.0.1", resolve);
    });
    const address: AddressInfo | string | null = closed.address();
    await new Promise((resolve) => {
      closed.close(resolve);
    });
    const port = typeof address === "object" && address ? address.port : 0;
    const fetcher = createFetch({ allowPrivateHosts: ["127.0.0.1"] });

    expect(await codeOf(fetcher(`http://127.0.0.1:${port}/`))).toBe("ECONNREFUSED");
  });

  test("until the signal ends it", async () => {
    const fetcher = createFetch({ allowPrivateHosts: ["127.0.0.1"] });

    const answer = fetcher(`http://127.0.0.1:${port}/`, { signal: AbortSignal.abort() });

    await expect(answer).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("isPublicAddress", () => {
  test.each(["8.8.8.8", "100.63.255.255", "172.32.0.1", "2606:4700::1111", "64:ff9b::8.8.8.8"])(
    "takes %s for public",
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  test.each([
    "0.0.0.0",
    "10.255.255.255",
    "100.64.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "not an address",
  ])("takes %s for not public", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});
