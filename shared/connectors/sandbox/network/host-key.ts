import { createHash, timingSafeEqual } from "node:crypto";
import { Refusal } from "./answers.ts";

/** Carries the key that only the processes of this Postwell know. */
export const HOST_KEY_HEADER = "x-postwell-host-key";

/**
 * Whoever can reach the network may read it, but only Postwell may write.
 * @param hostKey nobody may write where it is undefined
 * @throws {Refusal} 403 `host_key_wrong`
 */
export function requireHostKey(request: Request, hostKey: string | undefined): void {
  const given = request.headers.get(HOST_KEY_HEADER);
  if (hostKey !== undefined && given !== null && isSame(given, hostKey)) return;
  throw new Refusal(
    403,
    "host_key_wrong",
    "Only this Postwell itself may write here. All its processes need the same POSTWELL_SECRET_KEY.",
  );
}

/** Hashed first, as the comparison tells two lengths apart. */
const isSame = (one: string, other: string) => timingSafeEqual(hashOf(one), hashOf(other));
const hashOf = (text: string) => createHash("sha256").update(text).digest();
