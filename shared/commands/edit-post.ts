import { v7 as uuidv7 } from "uuid";
import type { Actor, Context } from "../context.ts";
import { clock, inTransaction, type Tx } from "../db/client.ts";
import {
  cancelDeliveries,
  insertDeliveries,
  lockLiving,
  resealDeliveries,
  wakeChannels,
  type PlannedDelivery,
} from "../db/deliveries-plan.ts";
import { addEvents } from "../db/events.ts";
import { lockPost, saveContent, savePostState } from "../db/posts.ts";
import {
  isEditable,
  planFor,
  plusMinutes,
  refuseInFlight,
  refuseOut,
} from "../domain/delivery-plan.ts";
import {
  deliveryHash,
  normalizePost,
  postHash,
  type Post,
  type PostContent,
} from "../domain/post.ts";
import { AppError } from "../errors.ts";
import { postMissing } from "./post-missing.ts";
import { loadReferences, refuseMisfits, type References } from "./post-references.ts";

export interface PostEdit {
  readonly postId: string;
  /** What is undefined stays as it is. */
  readonly changes: { readonly [Field in keyof PostContent]?: PostContent[Field] | undefined };
  /** May refuse the version that is found. */
  readonly checkVersion: (version: number) => void;
}

/**
 * Edits a post. Deliveries of which nothing has left get the new words at once; where the edit would change what is out or on
 * its way, all of it is refused. A channel that is taken away loses its delivery; one that is added to a planned post
 * gets the same time.
 * @throws {AppError} not_found `post.missing`; conflict `post.publishing`, `post.already_published`, `post.time_in_past`;
 *   invalid `post.does_not_fit`, `post.no_channels` and as `loadReferences`
 */
export async function editPost(
  context: Context,
  { workspaceId }: Actor,
  { postId, changes, checkVersion }: PostEdit,
): Promise<void> {
  await inTransaction(context.db, async (tx) => {
    const before = await lockPost(tx, workspaceId, postId);
    if (!before) throw postMissing();
    checkVersion(before.version);
    const living = await lockLiving(tx, before.id);
    const content = normalizePost(withChanges(before, changes));
    const references = await loadReferences(tx, workspaceId, content);
    const contentHash = postHash(content, references.media);
    const post = { ...content, version: before.version + 1, contentHash };

    refuseLastChannel(before, post);
    const effect = effectOn(living, { before, post, references });
    refuseInFlight(effect.changed);
    refuseOut(effect.changed);
    refuseMisfits(context, onlyOn(post, effect.checkedChannels), references);

    await saveContent(tx, workspaceId, post);
    await resealDeliveries(tx, workspaceId, effect.resealed);
    await cancelDeliveries(tx, workspaceId, effect.cancelled);
    if (
      living.length > 0 &&
      effect.cancelled.length === living.length &&
      effect.added.length === 0
    ) {
      await savePostState(tx, post.id, "draft");
    }
    await addEvents(tx, [{ workspaceId, type: "post.updated", subjectId: post.id }]);
    await planAdded(tx, workspaceId, { post, living, references, added: effect.added });
  });
}

/** A post that has a time needs a channel; to take the time back is another request, which says so. */
function refuseLastChannel(before: Post, { channelIds }: PostContent): void {
  if (before.state === "draft" || channelIds.length > 0) return;
  const code = "post.no_channels";
  const detail = "The post has a time, so it needs a channel. Cancel it, or name another channel.";
  throw new AppError("invalid", code, detail, [{ path: "channelIds", code, detail }]);
}

/** A variant goes with its channel, unless the edit speaks of variants itself. */
function withChanges(post: Post, changes: PostEdit["changes"]): Post {
  const given = Object.fromEntries(
    Object.entries(changes).filter(([, value]) => value !== undefined),
  );
  const edited: Post = { ...post, ...given };
  if (changes.variants !== undefined) return edited;
  const kept = Object.entries(post.variants).filter(([id]) => edited.channelIds.includes(id));
  return { ...edited, variants: Object.fromEntries(kept) };
}

interface Effect {
  /** Deliveries whose words change, or that lose their channel. */
  readonly changed: readonly PlannedDelivery[];
  readonly resealed: readonly (PlannedDelivery & { readonly contentHash: string })[];
  readonly cancelled: readonly PlannedDelivery[];
  /** Channels of a planned post that have no delivery yet. */
  readonly added: readonly string[];
  readonly checkedChannels: readonly string[];
}

function effectOn(
  living: readonly PlannedDelivery[],
  { before, post, references }: { before: Post; post: Post; references: References },
): Effect {
  const stays = ({ channelId }: PlannedDelivery) => references.channels.has(channelId);
  const sealed = living.flatMap((old) => {
    const channel = references.channels.get(old.channelId);
    if (!channel) return [];
    const contentHash = deliveryHash(post, channel, references.media);
    return [{ old, contentHash, latestAt: plusMinutes(old.dueAt, post.latestAfterMinutes) }];
  });
  const cancelled = living.filter((delivery) => !stays(delivery));
  const reworded = sealed.filter(({ old, contentHash }) => contentHash !== old.contentHash);
  const isOtherwiseLate = post.latestAfterMinutes !== before.latestAfterMinutes;
  const resealed = sealed.filter(
    (one) => isEditable(one.old) && (isOtherwiseLate || reworded.includes(one)),
  );
  const added =
    before.state === "scheduled"
      ? post.channelIds.filter((id) => !before.channelIds.includes(id))
      : [];
  return {
    changed: [...cancelled, ...reworded.map(({ old }) => old)],
    resealed: resealed.map(({ old, contentHash, latestAt }) => ({ ...old, contentHash, latestAt })),
    cancelled,
    added,
    checkedChannels:
      before.state === "draft"
        ? post.channelIds
        : [...reworded.map(({ old }) => old.channelId), ...added],
  };
}

function onlyOn(post: Post, channelIds: readonly string[]): Post {
  return { ...post, channelIds };
}

interface Adding {
  readonly post: Post;
  readonly living: readonly PlannedDelivery[];
  readonly references: References;
  readonly added: readonly string[];
}

/** A channel that joins a planned post goes out at the same time as the others. */
async function planAdded(
  tx: Tx,
  workspaceId: string,
  { post, living, references, added }: Adding,
): Promise<void> {
  if (added.length === 0) return;
  const now = await clock(tx);
  const [next] = living
    .filter(({ state, dueAt }) => state === "scheduled" && dueAt > now)
    .toSorted((a, b) => a.dueAt.getTime() - b.dueAt.getTime());
  if (!next) {
    throw new AppError(
      "conflict",
      "post.time_in_past",
      "The post's time has passed, so a channel cannot join it. Write a new post for that channel.",
      [{ path: "channelIds", code: "post.time_in_past", detail: "The post's time has passed." }],
    );
  }
  const plan = planFor(next, post.latestAfterMinutes);
  const deliveries = added.flatMap((channelId) => {
    const channel = references.channels.get(channelId);
    if (!channel) return [];
    const contentHash = deliveryHash(post, channel, references.media);
    const { platform } = channel;
    return [{ id: uuidv7(), postId: post.id, channelId, platform, contentHash, ...plan }];
  });
  await insertDeliveries(tx, workspaceId, deliveries);
  await wakeChannels(
    tx,
    deliveries.map(({ channelId, platform, dueAt }) => ({ channelId, platform, at: dueAt })),
  );
}
