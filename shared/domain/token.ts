import { createHash } from "node:crypto";

/** How every token begins, so that one that was pasted into the wrong place is recognised. */
export const TOKEN_PREFIX = "pw_";

/**
 * What is stored of a token. A token has 256 random bits, so nobody can try them all and a slow hash would protect nothing.
 */
export function tokenHash(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
