import { v7 as uuidv7 } from "uuid";
import { connectorOf, credentialsIdentity } from "../../shared/commands/channel-calls.ts";
import { createPost } from "../../shared/commands/create-post.ts";
import type { Capabilities } from "../../shared/connectors/capabilities.ts";
import type { Actor, Context } from "../../shared/context.ts";
import type { DeliveryError, DeliveryState } from "../../shared/domain/delivery.ts";
import type { Post, PostContent } from "../../shared/domain/post.ts";

/** A connected channel on the practice network, or with the platform and limits of another. */
export async function aChannel(
  context: Context,
  { workspaceId }: Pick<Actor, "workspaceId">,
  options: {
    readonly name?: string;
    readonly platform?: string;
    readonly capabilities?: Capabilities;
  } = {},
): Promise<{ id: string; name: string; platform: string }> {
  const id = uuidv7();
  const { name = `Channel ${id}`, platform = "sandbox" } = options;
  const capabilities = options.capabilities ?? connectorOf(context, platform).capabilities;
  await context.db
    .insertInto("channels")
    .values({
      id,
      workspaceId,
      platform,
      name,
      remoteAccountId: id,
      handle: "@heart",
      state: "connected",
      capabilities: JSON.stringify(capabilities),
      sealedCredentials: context.sealer.seal({}, credentialsIdentity(id)),
    })
    .execute();
  return { id, name, platform };
}

/** A medium as an upload leaves it; its bytes are not stored. */
export async function aMedium(
  { db }: Pick<Context, "db">,
  { workspaceId }: Pick<Actor, "workspaceId">,
  options: {
    readonly filename?: string;
    readonly contentType?: string;
    readonly byteLength?: number;
    readonly altText?: string;
  } = {},
): Promise<{ id: string; filename: string }> {
  const id = uuidv7();
  const { filename = "cuff.png", contentType = "image/png", byteLength = 1_000 } = options;
  const { altText = "A blood pressure cuff on an arm" } = options;
  const sha256 = id.replaceAll("-", "").repeat(2);
  const size = { width: 800, height: 600, byteLength };
  await db
    .insertInto("media")
    .values({ id, workspaceId, filename, contentType, sha256, altText, ...size })
    .execute();
  return { id, filename };
}

/** A draft. */
export function aPost(
  context: Context,
  actor: Actor,
  content: Partial<PostContent> & { readonly externalId?: string } = {},
): Promise<Post> {
  return createPost(context, actor, {
    externalId: null,
    parts: [{ text: "Know your blood pressure numbers.", mediaIds: [] }],
    channelIds: [],
    variants: {},
    link: null,
    sources: [],
    labels: [],
    campaign: null,
    latestAfterMinutes: 15,
    ...content,
  });
}

/** How a worker would leave a delivery. */
export interface StoredDelivery {
  readonly state: DeliveryState;
  readonly dueAt?: Date;
  readonly nextAt?: Date | null;
  readonly publishedAt?: Date | null;
  readonly error?: DeliveryError | null;
}

/** A delivery of a new post, in any state. */
export async function aDelivery(
  context: Context,
  actor: Actor,
  channel: { readonly id: string; readonly platform: string },
  stored: StoredDelivery & { readonly content?: Partial<PostContent> },
): Promise<{ id: string; postId: string }> {
  const post = await aPost(context, actor, { channelIds: [channel.id], ...stored.content });
  const id = uuidv7();
  const { state, error = null, nextAt = null, dueAt = context.now() } = stored;
  await context.db
    .insertInto("deliveries")
    .values({
      id,
      workspaceId: actor.workspaceId,
      postId: post.id,
      channelId: channel.id,
      platform: channel.platform,
      state,
      contentHash: post.contentHash,
      dueAt,
      latestAt: new Date(dueAt.getTime() + 15 * 60_000),
      nextAt,
      publishedAt: stored.publishedAt ?? (state === "published" ? dueAt : null),
      error: error && JSON.stringify(error),
    })
    .execute();
  await context.db
    .updateTable("posts")
    .set({ state: "scheduled" })
    .where("id", "=", post.id)
    .execute();
  return { id, postId: post.id };
}

/** Moves a delivery as a worker would. */
export async function putDelivery(
  { db }: Pick<Context, "db">,
  deliveryId: string,
  { state, error = null, nextAt = null, publishedAt = null }: StoredDelivery,
): Promise<void> {
  await db
    .updateTable("deliveries")
    .set({ state, nextAt, publishedAt, error: error && JSON.stringify(error) })
    .where("id", "=", deliveryId)
    .execute();
}

/** An attempt whose answer was lost. */
export async function anOpenAttempt(
  { db }: Pick<Context, "db">,
  deliveryId: string,
  part = 0,
): Promise<string> {
  const id = uuidv7();
  const facts = { fence: 1, worker: "test", contentHash: "0".repeat(64), idempotencyKey: "k" };
  await db
    .insertInto("attempts")
    .values({ id, deliveryId, part, ...facts })
    .execute();
  return id;
}

/** Proof that a part is out. */
export async function aReceipt(
  { db }: Pick<Context, "db">,
  deliveryId: string,
  { part = 0, publishedAt = new Date("2027-02-05T15:00:03Z") } = {},
): Promise<void> {
  await db
    .insertInto("receipts")
    .values({
      deliveryId,
      part,
      remoteId: `remote-${part}`,
      permalink: `https://social.example/posts/remote-${part}`,
      publishedAt,
      contentHash: "0".repeat(64),
      knownBy: "answered",
    })
    .execute();
}

/** A reading of engagement. */
export async function aSnapshot(
  { db }: Pick<Context, "db">,
  deliveryId: string,
  takenAt: Date,
  metrics: Readonly<Record<string, number>>,
): Promise<void> {
  await db
    .insertInto("snapshots")
    .values({ deliveryId, takenAt, metrics: JSON.stringify(metrics) })
    .execute();
}
