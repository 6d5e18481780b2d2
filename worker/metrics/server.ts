import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { Registry } from "prom-client";
import type { Logger } from "../../shared/logger.ts";

export interface MetricsServer {
  /** The port that it listens on. */
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Tells Prometheus about one worker: `/metrics`, and `/healthz` for whoever restarts processes.
 * @returns null where nobody can listen there: whatever it is, it is no reason not to publish
 */
export async function serveMetrics(
  register: Registry,
  { host, port }: { readonly host: string; readonly port: number },
  log: Logger,
): Promise<MetricsServer | null> {
  const server = createServer((req, res) => {
    if (req.method !== "GET" && req.method !== "HEAD") return answer(res, 405, "Only GET.\n");
    if (req.url === "/healthz") return answer(res, 200, "ok\n");
    if (req.url !== "/metrics") return answer(res, 404, "Here are /metrics and /healthz.\n");
    register.metrics().then(
      (text) => answer(res, 200, text, register.contentType),
      (error: unknown) => {
        log.warn({ err: error }, "metrics could not be read");
        answer(res, 500, "The metrics could not be read.\n");
      },
    );
  });
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    log.error({ err: error, host, port }, "POSTWELL_METRICS_PORT: nobody can listen there");
    return null;
  }
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : port,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function answer(res: ServerResponse, status: number, text: string, type = "text/plain"): void {
  res.writeHead(status, { "Content-Type": type, "Cache-Control": "no-store" }).end(text);
}
