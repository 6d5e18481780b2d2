import { ConnectorError } from "../error.ts";
import { accountOf } from "./account-of.ts";
import { sessionOf, type BlueskyCall } from "./credentials.ts";
import { POST } from "./record.ts";

/** Addresses name the account and the record's key; all clients on the web have taken the form over from bsky.app. */
const POST_PATH = /^\/profile\/([^/]+)\/post\/([A-Za-z0-9._:~-]{1,512})\/?$/;

/**
 * The record behind an address. The handle in it may be an old one or a nickname that still leads to the account, so a handle that
 * is not the account's is looked up.
 */
export async function remoteIdOf(permalink: string, call: BlueskyCall): Promise<string | null> {
  const [, author, rkey] = POST_PATH.exec(new URL(permalink).pathname) ?? [];
  if (author === undefined || rkey === undefined) return null;
  const { did, handle } = sessionOf(call);
  const name = decodeURIComponent(author);
  const isOwn = name === did || name.toLowerCase() === handle.toLowerCase();
  if (!isOwn && (await accountBehind(name, call)) !== did) return null;
  return `at://${did}/${POST}/${rkey}`;
}

async function accountBehind(name: string, call: BlueskyCall): Promise<string | null> {
  if (name.startsWith("did:")) return name;
  try {
    return await accountOf(name, call);
  } catch (error) {
    if (error instanceof ConnectorError && error.kind === "gone") return null;
    throw error;
  }
}
