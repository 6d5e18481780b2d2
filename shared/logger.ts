import { pino, type Logger } from "pino";

export type { Logger } from "pino";

/** One JSON line an event, ids as fields. Texts of posts, names and secrets are never given to it. */
export function createLogger(name: string, level: string): Logger {
  return pino({
    name,
    level,
    // The second line of defence: what must not be logged is not passed in.
    redact: ["req.headers.authorization", "*.accessToken", "*.refreshToken", "*.appPassword"],
  });
}
