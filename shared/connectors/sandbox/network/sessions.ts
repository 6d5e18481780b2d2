import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Documents } from "../../connector.ts";
import { Refusal } from "./answers.ts";
import { DocumentId, KINDS, SessionDocument } from "./documents.ts";

/** Lower case, so that two spellings are not two accounts. */
export const HANDLE = /^@[a-z0-9][a-z0-9_-]{0,29}$/;

/** Signs in under a handle. No password: whoever holds the host's key may practise under any. */
export async function openSession(documents: Documents, handle: unknown): Promise<string> {
  if (typeof handle !== "string" || !HANDLE.test(handle)) {
    throw new Refusal(422, "handle_invalid", "A handle is @ and up to 30 of a-z, 0-9, _ and -.");
  }
  const secret = randomBytes(24).toString("base64url");
  const document = { handle, secretHash: hashOf(secret) };
  const { id } = await documents.add(document, { kind: KINDS.session });
  return `${id}.${secret}`;
}

/**
 * The handle for which a request is signed in.
 * @throws {Refusal} 401 `signed_out`
 */
export async function handleOf(documents: Documents, request: Request): Promise<string> {
  const token = request.headers.get("authorization")?.replace(/^Bearer /, "") ?? "";
  const [id = "", secret = ""] = token.split(".", 2);
  const found = DocumentId.safeParse(id).success ? await documents.find(id) : null;
  const session = found?.kind === KINDS.session ? SessionDocument.parse(found.document) : null;
  if (!session || !isSame(session.secretHash, hashOf(secret))) {
    throw new Refusal(401, "signed_out", "This sign-in is not valid any more.");
  }
  return session.handle;
}

const hashOf = (secret: string) => createHash("sha256").update(secret).digest("hex");
const isSame = (one: string, other: string) =>
  timingSafeEqual(Buffer.from(one), Buffer.from(other));
