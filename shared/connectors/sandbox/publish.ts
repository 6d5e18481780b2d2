import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import * as z from "zod";
import type { LostAttempt, OutgoingMedia, OutgoingPart, PublishedPart } from "../connector.ts";
import { ConnectorError } from "../error.ts";
import { json, request, type SandboxCall } from "./api.ts";
import type { Settings } from "./credentials.ts";

/** The key under which the part will be published, and what was uploaded for it, by media id. */
export const Prepared = z.object({
  key: z.uuid(),
  pictures: z.record(z.string(), z.string()),
});

export type Prepared = z.infer<typeof Prepared>;

const Picture = z.object({
  id: z.string(),
  state: z.enum(["processing", "ready"]),
  lookAgainAfterMs: z.int().nonnegative().default(1_000),
});

const Post = z.object({ id: z.string(), publishedAt: z.coerce.date() });
const Posts = z.object({ posts: z.array(Post), reachesTo: z.coerce.date().nullable() });

/** Chooses the post's own id and uploads the pictures that an earlier call did not. */
export async function prepare(
  part: OutgoingPart,
  previous: Prepared | null,
  call: SandboxCall,
): Promise<Prepared> {
  const pictures: Record<string, string> = {};
  for (const media of part.media) {
    pictures[media.id] = previous?.pictures[media.id] ?? (await upload(media, call));
  }
  return { key: previous?.key ?? randomUUID(), pictures };
}

export async function commit(
  part: OutgoingPart,
  prepared: Prepared,
  call: SandboxCall,
): Promise<PublishedPart> {
  const content = {
    key: prepared.key,
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
  { armedAt, prepared }: LostAttempt<Prepared>,
  call: SandboxCall,
): Promise<PublishedPart | null> {
  const handle = encodeURIComponent(call.credentials.handle);
  const { posts, reachesTo } = await request(
    call,
    { method: "GET", path: `/posts?handle=${handle}&key=${prepared.key}` },
    Posts,
  );
  if (posts[0]) return published(posts[0], call.settings);
  // So much was published since that the look does not reach back to the attempt: its result proves nothing.
  if (reachesTo && reachesTo > armedAt) throw new ConnectorError("unknown_outcome");
  return null;
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
