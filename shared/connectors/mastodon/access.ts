import * as z from "zod";
import type { Call } from "../connector.ts";

/**
 * `server` is a bare host or an address, as a person copies it. `accountId` is filled in by `connect` and saves a request
 * whenever own posts are read; it is absent before that. Tokens do not expire, so there is nothing to renew.
 * Source: https://docs.joinmastodon.org/methods/oauth/ (read 2026-11-22)
 */
export const Credentials = z.strictObject({
  server: z.string().refine((server) => parseServer(server) !== null, {
    error: "Give the server as a host such as mastodon.example, or its https address.",
  }),
  /** Visible ASCII: anything else cannot stand in an HTTP header. */
  accessToken: z
    .string()
    .trim()
    .max(2_000)
    .regex(/^[\x21-\x7e]+$/, "A token has no spaces, no line breaks and no accents."),
  accountId: z.string().min(1).optional(),
});

/** `baseUrl` replaces the server of every channel: it is there to reach a simulator. */
export const Settings = z.object({
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
});

/** The uploads of one part, in the order of its media. `remoteId` is the server's id of the upload. */
export const Prepared = z.object({
  media: z.array(z.object({ id: z.string(), remoteId: z.string() })),
});

export type Credentials = z.infer<typeof Credentials>;
export type Settings = z.infer<typeof Settings>;
export type Prepared = z.infer<typeof Prepared>;
export type MastodonCall = Call<Credentials, Settings>;

/** Address of the server that a call goes to, without a slash at its end. */
export function serverAddress({
  credentials,
  settings,
}: Pick<MastodonCall, "credentials" | "settings">): string {
  const server = settings.baseUrl ?? parseServer(credentials.server)?.origin ?? credentials.server;
  return server.replace(/\/+$/, "");
}

/** Null where the text names no server. Plain http would show the token to the network, so it stays on this machine. */
function parseServer(server: string): URL | null {
  const address = withScheme(server.trim());
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || url.username || url.password || url.search || url.hash) return null;
  if (url.pathname !== "/" || url.hostname === "") return null;
  if (url.protocol === "https:") return url;
  return url.protocol === "http:" && isLoopback(url.hostname) ? url : null;
}

function withScheme(text: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`;
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}
