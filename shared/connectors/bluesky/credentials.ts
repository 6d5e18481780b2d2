import * as z from "zod";
import type { Call } from "../connector.ts";
import { ConnectorError } from "../error.ts";

/** The service where most accounts live. */
const DEFAULT_SERVICE = "https://bsky.social";

/** Answers reads of public posts without a sign-in. */
const PUBLIC_APPVIEW = "https://public.api.bsky.app";

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

export const Session = z.object({
  did: z.string().startsWith("did:"),
  handle: z.string(),
  accessJwt: z.string().min(1),
  refreshJwt: z.string().min(1),
  /** Where the account's data lives, without a slash at its end. */
  pds: z.string(),
  /** End of the access token, UTC. */
  expiresAt: z.iso.datetime(),
});

export type Session = z.infer<typeof Session>;

export const Credentials = z.object({
  /** An address or a bare host; absent for Bluesky's own service. */
  service: z
    .string()
    .refine((text) => addressOf(text) !== null, "Must be a host name or an https:// address.")
    .optional(),
  /** Handle, e-mail address or DID. */
  identifier: z.string().trim().min(1),
  appPassword: z.string().trim().min(1),
  /** Added by `connect` and by renewal; nobody types it in. */
  session: Session.optional(),
});

export type Credentials = z.infer<typeof Credentials>;

/** `baseUrl` stands in for the service, the account's own server and the public AppView at once: for simulators. */
export const Settings = z.object({ baseUrl: z.url({ protocol: /^https?$/ }).optional() });

export type Settings = z.infer<typeof Settings>;

export type BlueskyCall = Call<Credentials, Settings>;

/** Where sign-in happens. No slash at the end, here and below. */
export function serviceOf({
  settings,
  credentials,
}: Pick<BlueskyCall, "credentials" | "settings">): string {
  const chosen = addressOf(credentials.service ?? DEFAULT_SERVICE);
  return overrideOf(settings) ?? chosen ?? DEFAULT_SERVICE;
}

/** Where the account's records are read and written. */
export function pdsOf({ settings }: Pick<BlueskyCall, "settings">, session: Session): string {
  return overrideOf(settings) ?? session.pds;
}

/** Where the account lives: where it signs in, as long as its own server is not known. */
export function homeOf(call: Pick<BlueskyCall, "credentials" | "settings">): string {
  const { session } = call.credentials;
  return session ? pdsOf(call, session) : serviceOf(call);
}

/** Where anybody's posts and their counts are read. */
export function appViewOf({ settings }: BlueskyCall): string {
  return overrideOf(settings) ?? PUBLIC_APPVIEW;
}

/**
 * The session to act with.
 * @throws {ConnectorError} `reauthorize` where there is none yet: renewal makes one from the app password
 */
export function sessionOf({ credentials }: BlueskyCall): Session {
  if (!credentials.session) throw new ConnectorError("reauthorize");
  return credentials.session;
}

/**
 * The origin that a person or a DID document means by an address or a bare host; null where it is none. Plain http is
 * for loopback alone, as the app password travels in the request.
 */
export function addressOf(text: string): string | null {
  const trimmed = text.trim();
  const address = trimmed.includes("://") ? trimmed : `https://${trimmed}`;
  if (!URL.canParse(address)) return null;
  const { protocol, hostname, origin } = new URL(address);
  const isSafe = protocol === "https:" || (protocol === "http:" && LOOPBACK.test(hostname));
  return isSafe ? origin : null;
}

function overrideOf({ baseUrl }: Settings): string | null {
  return baseUrl === undefined ? null : baseUrl.replace(/\/+$/, "");
}
