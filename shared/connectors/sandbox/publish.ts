import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import * as z from "zod";
import type { LostAttempt, OutgoingMedia, OutgoingPart, PublishedPart } from "../connector.ts";
import { ConnectorError } from "../error.ts";
import { json, request, type SandboxCall } from "./api.ts";
import type { Settings } from "./credentials.ts";

/** The id under which the part will be published, and what was uploaded for it, by media id. */
export const Prepared = z.object({
  id: z.uuid(),
  pictures: z.record(z.string(), z.string()),
});

export type Prepared = z.infer<typeof Prepared>;

const Picture = z.object({
  id: z.string(),
  state: z.enum(["processing", "ready"]),
  lookAgainAfterMs: z.int().nonnegative().default(1_000),
});

const Post = z.object({ id: z.string(), publishedAt: z.coerce.date() });

/** Chooses the post's id and uploads the pictures that are not there from an earlier call. */
export async function prepare(
  part: OutgoingPart,
  previous: Prepared | null,
  call: SandboxCall,
): Promise<Prepared> {
  const pictures: Record<string, string> = {};
  for (const media of part.media) {
    const before = previous?.pictures[media.id];
    // The network forgets pictures that no post has shown for a day.
    const isThere = before !== undefined && (await find(call, `/pictures/${before}`, Picture));
    pictures[media.id] = isThere ? before : await upload(media, call);
  }
  return { id: previous?.id ?? randomUUID(), pictures };
}

export async function commit(
  part: OutgoingPart,
  prepared: Prepared,
  call: SandboxCall,
): Promise<PublishedPart> {
  const content = {
    id: prepared.id,
    text: part.text,
    link: part.link,
    pictures: part.media.map(({ id, altText }) => ({ id: prepared.pictures[id], altText })),
    parent: part.thread?.parent.remoteId ?? null,
  };
  const post = await request(
    call,
    { method: "POST", path: "/posts", body: json(content), onLostAnswer: "unknown_outcome" },
    Post,
  );
  return published(post, call.settings);
}

/** The post is found by the id that `prepare` chose: neither an older one nor one with another text has it. */
export async function reconcile(
  _part: OutgoingPart,
  { prepared }: LostAttempt<Prepared>,
  call: SandboxCall,
): Promise<PublishedPart | null> {
  const post = await find(call, `/posts/${prepared.id}`, Post);
  return post && published(post, call.settings);
}

export async function remove(remoteId: string, call: SandboxCall): Promise<void> {
  const path = `/posts/${encodeURIComponent(remoteId)}`;
  await request(call, { method: "DELETE", path }, z.undefined());
}

async function upload(media: OutgoingMedia, call: SandboxCall): Promise<string> {
  const body = { contentType: media.contentType, content: await media.read() };
  let picture = await request(call, { method: "POST", path: "/pictures", body }, Picture);
  while (picture.state === "processing") {
    await pause(picture.lookAgainAfterMs, call.signal);
    const path = `/pictures/${encodeURIComponent(picture.id)}`;
    picture = await request(call, { method: "GET", path }, Picture);
  }
  return picture.id;
}

/** Null where the network says that it has no such thing: any other failure is one. */
async function find<T>(call: SandboxCall, path: string, shape: z.ZodType<T>): Promise<T | null> {
  try {
    return await request(call, { method: "GET", path }, shape);
  } catch (error) {
    const code = error instanceof ConnectorError ? error.platformCode : null;
    if (code === "post_missing" || code === "picture_missing") return null;
    throw error;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(ms, undefined, { signal });
  } catch (cause) {
    throw new ConnectorError("unavailable", { cause });
  }
}

const published = (post: z.infer<typeof Post>, { publicUrl }: Settings): PublishedPart => ({
  remoteId: post.id,
  permalink: `${publicUrl}/posts/${post.id}`,
  publishedAt: post.publishedAt,
  reference: null,
});
