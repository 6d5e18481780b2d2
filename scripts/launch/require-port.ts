import { createServer } from "node:net";
import { codeOf } from "../../shared/store-error.ts";

/**
 * Sees that the API can listen there before anything is started.
 * @returns the port, or a free one for 0
 * @throws {Error} with the remedy
 */
export function requirePort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error) => reject(new Error(remedy(host, port, codeOf(error)))));
    server.listen(port, host, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? port) : port));
    });
  });
}

function remedy(host: string, port: number, code: string | null): string {
  switch (code) {
    case "EADDRINUSE":
      return `Port ${port} is taken by another program. Stop that one, or choose another port: PORT=${port + 1} npm start`;
    case "EACCES":
      return `This user may not listen on port ${port}. Choose one above 1023: PORT=3000 npm start`;
    default:
      return `It is not possible to listen on ${host}, port ${port} (${code ?? "no reason given"}). Correct POSTWELL_HOST or PORT.`;
  }
}
