import net from "node:net";

/** Stands between a client and a server, and can be a bad connection. */
export interface Proxy {
  /** The given address, by way of the proxy. */
  readonly url: string;
  /** Cuts what is connected and refuses what comes. */
  cut(): void;
  /** Keeps connections, but passes nothing on. */
  freeze(): void;
  /** As if nothing had been. */
  heal(): void;
  /** Cuts what is connected; who comes again reaches another server. */
  redirect(url: string): void;
  /**
   * Lets the next request that holds these words reach the server, then cuts its connection: the server has done what was asked,
   * and nobody hears of it. Words of one packet only.
   */
  loseAnswerTo(words: string): void;
  close(): Promise<void>;
}

export async function startProxy(target: string): Promise<Proxy> {
  let { hostname, port } = new URL(target);
  let words: string | null = null;
  const pairs = new Set<readonly [net.Socket, net.Socket]>();
  let state: "open" | "cut" | "frozen" = "open";
  const server = net.createServer((client) => {
    if (state === "cut") {
      client.destroy();
      return;
    }
    const upstream = net.connect(Number(port), hostname);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    for (const socket of pair) {
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        for (const each of pair) each.destroy();
        pairs.delete(pair);
      });
      if (state === "frozen") socket.pause();
    }
    client.on("data", (chunk: Buffer) => {
      if (words === null || !chunk.includes(words)) return;
      words = null;
      upstream.unpipe(client);
      // Its answer proves that it is done.
      upstream.once("data", () => client.destroy()).resume();
    });
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The proxy has no port.");
  const url = new URL(target);
  url.hostname = "127.0.0.1";
  url.port = String(address.port);
  const destroyAll = (): void => {
    for (const [client] of pairs) client.destroy();
  };
  return {
    url: url.href,
    cut() {
      state = "cut";
      destroyAll();
    },
    freeze() {
      state = "frozen";
      for (const [client, upstream] of pairs) client.unpipe(upstream);
    },
    heal() {
      // What was frozen stays behind: a client that has waited for it would take it for a new answer.
      if (state === "frozen") destroyAll();
      state = "open";
    },
    redirect(other) {
      ({ hostname, port } = new URL(other));
      destroyAll();
    },
    loseAnswerTo(some) {
      words = some;
    },
    close() {
      destroyAll();
      return new Promise((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
