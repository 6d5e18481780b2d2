import * as z from "zod";
import type { OutgoingPart, PublishedPart } from "../connector.ts";
import { ConnectorError } from "../error.ts";
import { ask, type XCall } from "./api.ts";
import { COMMIT, READ } from "./errors.ts";
import { observingLimits } from "./limits.ts";
import type { Prepared } from "./media.ts";
import { isRemoteId, publishedPart } from "./remote-id.ts";

const Created = z.object({ data: z.object({ id: z.string().refine(isRemoteId) }) });

const Deleted = z.object({ data: z.object({ deleted: z.literal(true) }) });

/** What is not there is missing from `data`, or all of `data` is. */
const Shown = z.object({ data: z.array(z.object({ id: z.string() })).default([]) });

/** For this long X may not see yet, where it accepts replies, a post that it has just accepted. */
const PARENT_LAG_MS = 5 * 60_000;

/** Makes one part public: one request, sent at most once. */
export async function commit(
  part: OutgoingPart,
  prepared: Prepared,
  call: XCall,
): Promise<PublishedPart> {
  const body = postOf(part, prepared);
  const purpose = { ...COMMIT, secret: part.text };
  try {
    const created = await ask(call, { purpose, answer: Created }, async (client) => {
      const send = () => client.v2.post("tweets", body, { fullResponse: true });
      return (await observingLimits(call, send)).data;
    });
    return publishedPart(created.data.id, call.credentials.handle);
  } catch (error) {
    if (error instanceof ConnectorError && (await isParentLagging(error, part, call))) {
      const { platformMessage, platformCode } = error;
      throw new ConnectorError("unavailable", { platformMessage, platformCode });
    }
    throw error;
  }
}

/** Takes a post away. Repeatable; X charges for each request. */
export async function remove(remoteId: string, call: XCall): Promise<void> {
  try {
    await ask(call, { purpose: READ, answer: Deleted }, (client) =>
      client.v2.deleteTweet(remoteId),
    );
  } catch (error) {
    if (error instanceof ConnectorError && error.kind === "gone") return;
    throw error;
  }
}

/** Only what is needed: X refuses a request with a property that it does not know. */
function postOf(part: OutgoingPart, prepared: Prepared): Record<string, unknown> {
  const mediaIds = prepared.media.map(({ remoteId }) => remoteId);
  if (mediaIds.length !== part.media.length) {
    throw new ConnectorError("bug", { platformCode: "media_not_prepared" });
  }
  return {
    ...(part.text === "" ? {} : { text: part.text }),
    ...(mediaIds.length === 0 ? {} : { media: { media_ids: mediaIds } }),
    ...(part.thread && { reply: { in_reply_to_tweet_id: part.thread.parent.remoteId } }),
  };
}

/**
 * In quick threads X now and then calls the post before "deleted or not visible" although it is neither: then the refused
 * part may be sent again. So X is asked whether the post before is there.
 * Source: https://github.com/plhery/node-twitter-api-v2/issues/366 (read 2026-11-22)
 */
async function isParentLagging(
  { kind }: ConnectorError,
  { thread }: OutgoingPart,
  call: XCall,
): Promise<boolean> {
  const parentAt = thread?.parent.publishedAt;
  if (kind !== "gone" || !parentAt) return false;
  if (call.now().getTime() - parentAt.getTime() >= PARENT_LAG_MS) return false;
  const { remoteId } = thread.parent;
  const { data } = await ask(call, { purpose: READ, answer: Shown }, (client) =>
    client.v2.tweets([remoteId]),
  );
  return data.some(({ id }) => id === remoteId);
}
