import { createHash, randomBytes } from "node:crypto";
import { base32 } from "./cid.ts";
import { Refusal } from "./refusal.ts";

export interface Account {
  /** As the test named it. */
  readonly name: string;
  readonly did: string;
  readonly handle: string;
  appPassword: string;
  readonly blobs: Map<string, StoredBlob>;
}

export interface StoredBlob {
  readonly mimeType: string;
  readonly size: number;
  readonly uploadedAt: Date;
}

export interface Accounts {
  open(name: string): Account;
  find(didOrHandle: string): Account | undefined;
  signIn(identifier: string, password: string): SessionAnswer;
  refresh(authorization: string | undefined): SessionAnswer;
  /** The account that a request acts for. Throws the platform's refusal. */
  authenticate(authorization: string | undefined): Account;
  describe(account: Account): AccountAnswer;
  /** Ends the access tokens. Who has the app password, or a refresh token, gets new ones. */
  expire(name: string): void;
  /** Takes the app password back for a new one: nothing made with the old one works any more. */
  revoke(name: string): void;
}

interface AccountAnswer {
  readonly did: string;
  readonly handle: string;
  readonly didDoc: unknown;
  readonly active: boolean;
}

interface SessionAnswer extends AccountAnswer {
  readonly accessJwt: string;
  readonly refreshJwt: string;
}

interface Token {
  readonly account: Account;
  readonly scope: "com.atproto.appPass" | "com.atproto.refresh";
  expiresAtMs: number;
  isRevoked: boolean;
}

const HOUR_MS = 3_600_000;
const ACCESS_MS = 2 * HOUR_MS;
const REFRESH_MS = 90 * 24 * HOUR_MS;
/** A refresh token goes on working for a while after its use, for clients that lost the answer. */
const GRACE_MS = 2 * HOUR_MS;

/** Accounts and their tokens, as a personal data server keeps them. */
export function accountStore(now: () => Date, url: () => string): Accounts {
  const byName = new Map<string, Account>();
  const byAddress = new Map<string, Account>();
  const tokens = new Map<string, Token>();

  function issue(account: Account, scope: Token["scope"], lifeMs: number): string {
    const iat = Math.floor(now().getTime() / 1000);
    const exp = iat + lifeMs / 1000;
    const payload = { scope, sub: account.did, iat, exp, jti: randomBytes(8).toString("hex") };
    const parts = [
      encode({ alg: "HS256" }),
      encode(payload),
      randomBytes(32).toString("base64url"),
    ];
    const token = parts.join(".");
    tokens.set(token, { account, scope, expiresAtMs: exp * 1000, isRevoked: false });
    return token;
  }

  function verify(authorization: string | undefined, scope: Token["scope"]): Token {
    const [, jwt] = /^Bearer (\S+)$/.exec(authorization ?? "") ?? [];
    if (jwt === undefined) throw new Refusal(401, "AuthMissing", "Authentication Required");
    const token = tokens.get(jwt);
    if (!token) throw new Refusal(400, "InvalidToken", "Token could not be verified");
    if (token.scope !== scope) throw new Refusal(400, "InvalidToken", "Bad token scope");
    if (token.isRevoked) {
      throw new Refusal(400, "ExpiredToken", "Token has been revoked");
    }
    if (token.expiresAtMs <= now().getTime()) {
      throw new Refusal(400, "ExpiredToken", "Token has expired");
    }
    return token;
  }

  function session(account: Account): SessionAnswer {
    const accessJwt = issue(account, "com.atproto.appPass", ACCESS_MS);
    const refreshJwt = issue(account, "com.atproto.refresh", REFRESH_MS);
    return { ...describe(account), accessJwt, refreshJwt };
  }

  function describe({ did, handle }: Account): AccountAnswer {
    const pds = {
      id: "#atproto_pds",
      type: "AtprotoPersonalDataServer",
      serviceEndpoint: url(),
    };
    const didDoc = { id: did, alsoKnownAs: [`at://${handle}`], service: [pds] };
    return { did, handle, didDoc, active: true };
  }

  return {
    describe,
    find: (didOrHandle) => byAddress.get(didOrHandle.toLowerCase()),
    open(name) {
      const account = byName.get(name) ?? newAccount(name);
      byName.set(name, account);
      byAddress.set(account.did, account).set(account.handle, account);
      return account;
    },
    signIn(identifier, password) {
      const account = byAddress.get(identifier.toLowerCase());
      if (!account || account.appPassword !== password) {
        throw new Refusal(401, "AuthenticationRequired", "Invalid identifier or password");
      }
      return session(account);
    },
    refresh(authorization) {
      const token = verify(authorization, "com.atproto.refresh");
      token.expiresAtMs = Math.min(token.expiresAtMs, now().getTime() + GRACE_MS);
      return session(token.account);
    },
    authenticate: (authorization) => verify(authorization, "com.atproto.appPass").account,
    expire(name) {
      for (const token of tokens.values()) {
        const isAccess = token.scope === "com.atproto.appPass";
        if (isAccess && token.account.name === name) token.expiresAtMs = 0;
      }
    },
    revoke(name) {
      const account = byName.get(name);
      if (account) account.appPassword = newPassword();
      for (const token of tokens.values()) {
        if (token.account.name === name) token.isRevoked = true;
      }
    },
  };
}

function newAccount(name: string): Account {
  const digest = createHash("sha256").update(name).digest();
  const label = name
    .toLowerCase()
    .replaceAll(/[^a-z\d]+/g, "-")
    .replaceAll(/^-|-$/g, "");
  return {
    name,
    did: `did:plc:${base32(digest).slice(0, 24)}`,
    handle: `${label === "" ? "a" : label.slice(0, 40)}-${digest.toString("hex", 0, 3)}.bsky.example`,
    appPassword: newPassword(),
    blobs: new Map(),
  };
}

const newPassword = () => (base32(randomBytes(10)).match(/.{4}/g) ?? []).join("-");

function encode(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}
