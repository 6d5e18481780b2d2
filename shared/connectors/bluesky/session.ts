import * as z from "zod";
import type { Connection, Renewal } from "../connector.ts";
import { ConnectorError } from "../error.ts";
import { capabilities } from "./capabilities.ts";
import {
  addressOf,
  pdsOf,
  serviceOf,
  sessionOf,
  type BlueskyCall,
  type Credentials,
  type Session,
  type Settings,
} from "./credentials.ts";
import { xrpc } from "./xrpc.ts";

/**
 * Life of an access token, for a server whose tokens cannot be read.
 * Source: seen on the reference PDS (read 2026-11-22)
 */
const ACCESS_TOKEN_MS = 2 * 3_600_000;

const AccountState = z.object({
  did: z.string().startsWith("did:"),
  handle: z.string(),
  active: z.boolean().optional(),
  status: z.string().optional(),
});

const SessionAnswer = AccountState.extend({
  accessJwt: z.string().min(1),
  refreshJwt: z.string().min(1),
  didDoc: z.unknown().optional(),
});

const DidDocument = z.object({
  service: z.array(z.object({ id: z.string(), serviceEndpoint: z.unknown().optional() })),
});

/** Signs in with the app password. Accounts may do so 30 times in 5 minutes and 300 times a day, hence never per post. */
export async function connect(call: BlueskyCall): Promise<Connection<Credentials>> {
  const session = await signIn(call);
  return {
    remoteAccountId: session.did,
    handle: `@${session.handle}`,
    credentials: { ...call.credentials, session },
    capabilities,
  };
}

/** Asks the account's own server who we are: fails where the session has ended or the account is not active. */
export async function check(call: BlueskyCall): Promise<void> {
  const session = sessionOf(call);
  const state = await xrpc(
    call,
    {
      base: pdsOf(call, session),
      method: "com.atproto.server.getSession",
      token: session.accessJwt,
    },
    { schema: AccountState, meaning: { refused: "reauthorize", lost: "unavailable" } },
  );
  refuseInactive(state);
}

export const renewal: Renewal<Credentials, Settings> = {
  // The app password makes new sessions.
  canRenew: () => true,
  expiresAt: ({ session }) => (session ? new Date(session.expiresAt) : null),
  async renew(call) {
    const session = (await refresh(call)) ?? (await signIn(call));
    return { ...call.credentials, session };
  },
};

async function signIn(call: BlueskyCall): Promise<Session> {
  const { identifier, appPassword } = call.credentials;
  const base = serviceOf(call);
  const answer = await xrpc(
    call,
    {
      base,
      method: "com.atproto.server.createSession",
      // People write their handle with the sign that the platform shows before it, and the platform refuses that.
      input: { json: { identifier: identifier.replace(/^@/, ""), password: appPassword } },
    },
    { schema: SessionAnswer, meaning: { refused: "reauthorize", lost: "unavailable" } },
  );
  return sessionFrom(answer, base, call.now());
}

/** Null where the refresh token is spent, so that the app password must serve. */
async function refresh(call: BlueskyCall): Promise<Session | null> {
  const { session } = call.credentials;
  if (!session) return null;
  try {
    const answer = await xrpc(
      call,
      {
        base: pdsOf(call, session),
        method: "com.atproto.server.refreshSession",
        token: session.refreshJwt,
        input: "nothing",
      },
      { schema: SessionAnswer, meaning: { refused: "reauthorize", lost: "unavailable" } },
    );
    return sessionFrom(answer, session.pds, call.now());
  } catch (error) {
    if (error instanceof ConnectorError && error.kind === "reauthorize") return null;
    throw error;
  }
}

function sessionFrom(answer: z.infer<typeof SessionAnswer>, from: string, now: Date): Session {
  refuseInactive(answer);
  const { did, handle, accessJwt, refreshJwt, didDoc } = answer;
  const expiresAt = expiryOf(accessJwt) ?? new Date(now.getTime() + ACCESS_TOKEN_MS);
  return {
    did,
    handle,
    accessJwt,
    refreshJwt,
    pds: pdsIn(didDoc) ?? from,
    expiresAt: expiresAt.toISOString(),
  };
}

function refuseInactive({ active, status }: z.infer<typeof AccountState>): void {
  if (active === false) throw new ConnectorError("permission", { platformCode: status ?? null });
}

/** The server that the account's identity document names; null where it names none that we would talk to. */
function pdsIn(didDoc: unknown): string | null {
  const services = DidDocument.safeParse(didDoc).data?.service ?? [];
  const pds = services.find(({ id }) => id.endsWith("#atproto_pds"))?.serviceEndpoint;
  return typeof pds === "string" ? addressOf(pds) : null;
}

/** The end that a token names in its own payload; null where it is not readable. We check no signature: it is only a hint. */
function expiryOf(jwt: string): Date | null {
  try {
    const payload: unknown = JSON.parse(
      Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString("utf8"),
    );
    const { exp } = z.object({ exp: z.int().positive().max(99_999_999_999) }).parse(payload);
    return new Date(exp * 1000);
  } catch {
    return null;
  }
}
