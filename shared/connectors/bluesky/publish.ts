import * as z from "zod";
import type { LostAttempt, OutgoingPart, PublishedPart } from "../connector.ts";
import { ConnectorError } from "../error.ts";
import { pdsOf, sessionOf, type BlueskyCall, type Session } from "./credentials.ts";
import { observeLimit } from "./limits.ts";
import type { Prepared } from "./prepare.ts";
import { POST, replyOf, StoredPost } from "./record.ts";
import { normalise } from "./text.ts";
import { xrpc } from "./xrpc.ts";

const Written = z.object({ uri: z.string().startsWith("at://"), cid: z.string().min(1) });

const Found = Written.extend({ value: StoredPost });

/**
 * Writes the prepared record under its own key, but only where nothing is: the same write again is accepted and changes
 * nothing, and another one is refused. (`createRecord` answers a second time with a 500 for ever.)
 */
export async function commit(
  part: OutgoingPart,
  prepared: Prepared,
  call: BlueskyCall,
): Promise<PublishedPart> {
  const session = sessionOf(call);
  const record = part.thread
    ? { ...prepared.record, reply: replyOf(part.thread) }
    : prepared.record;
  if (call.signal.aborted) throw new ConnectorError("unavailable", { cause: call.signal.reason });
  const written = await xrpc(
    call,
    {
      base: pdsOf(call, session),
      method: "com.atproto.repo.putRecord",
      token: session.accessJwt,
      input: {
        json: {
          repo: session.did,
          collection: POST,
          rkey: prepared.rkey,
          record,
          swapRecord: null,
        },
      },
    },
    {
      schema: Written,
      meaning: { refused: "content_rejected", lost: "unknown_outcome" },
      onHeaders: (headers) => observeLimit(headers, call),
    },
  );
  return publishedPart(written, prepared.rkey, session);
}

/**
 * Reads the record under our own key from the account's own server, which shows a write at once. The key proves that the
 * post is this part's, whichever attempt wrote it; the content is compared because people edit posts with other programs.
 */
export async function reconcile(
  part: OutgoingPart,
  { prepared }: LostAttempt<Prepared>,
  call: BlueskyCall,
): Promise<PublishedPart | null> {
  const session = sessionOf(call);
  const found = await readRecord(prepared.rkey, session, call);
  if (!found || !isSamePost(part, found.value)) return null;
  return publishedPart(found, prepared.rkey, session);
}

/** Deletes a post. One that is not there is deleted already, the platform says yes to that too. */
export async function remove(remoteId: string, call: BlueskyCall): Promise<void> {
  const session = sessionOf(call);
  const prefix = `at://${session.did}/${POST}/`;
  // Else the platform would look for the post on this account, find none, and call it deleted.
  if (!remoteId.startsWith(prefix)) throw new ConnectorError("permission");
  await xrpc(
    call,
    {
      base: pdsOf(call, session),
      method: "com.atproto.repo.deleteRecord",
      token: session.accessJwt,
      input: {
        json: { repo: session.did, collection: POST, rkey: remoteId.slice(prefix.length) },
      },
    },
    { schema: z.unknown(), meaning: { refused: "gone", lost: "unavailable" } },
  );
}

async function readRecord(
  rkey: string,
  session: Session,
  call: BlueskyCall,
): Promise<z.infer<typeof Found> | null> {
  try {
    return await xrpc(
      call,
      {
        base: pdsOf(call, session),
        method: "com.atproto.repo.getRecord",
        params: [
          ["repo", session.did],
          ["collection", POST],
          ["rkey", rkey],
        ],
      },
      { schema: Found, meaning: { refused: "unavailable", lost: "unavailable" } },
    );
  } catch (error) {
    const isAbsent = error instanceof ConnectorError && error.platformCode === "RecordNotFound";
    if (isAbsent) return null;
    throw error;
  }
}

function isSamePost(part: OutgoingPart, { text, embed, reply }: StoredPost) {
  return (
    normalise(text) === normalise(part.text) &&
    (embed?.images?.length ?? 0) === part.media.length &&
    (reply?.parent.uri ?? null) === (part.thread?.parent.remoteId ?? null)
  );
}

function publishedPart(
  { uri, cid }: z.infer<typeof Written>,
  rkey: string,
  { handle }: Session,
): PublishedPart {
  const permalink = `https://bsky.app/profile/${handle}/post/${rkey}`;
  // The platform's answer has no time; `createdAt` is our own word.
  return { remoteId: uri, permalink, publishedAt: null, reference: { cid } };
}
