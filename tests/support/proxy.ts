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
  close(): Promise<void>;
}

export async function startProxy(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target);
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
    close() {
      destroyAll();
      return new Promise((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
