import { v7 as uuidv7 } from "uuid";
import type { Actor, Context } from "../context.ts";
import { clock, inTransaction, type Tx } from "../db/client.ts";
import {
  insertDeliveries,
  lockLiving,
  replanDeliveries,
  wakeChannels,
  type NewDelivery,
  type PlannedDelivery,
  type Replan,
} from "../db/deliveries-plan.ts";
import { lockPost, savePostState } from "../db/posts.ts";
import { isOut, planFor, refuseInFlight, refuseOut, type Plan } from "../domain/delivery-plan.ts";
import { deliveryHash, type Post } from "../domain/post.ts";
import { resolveWhen, type Moment, type When } from "../domain/schedule.ts";
import { AppError } from "../errors.ts";
import { postMissing } from "./post-missing.ts";
import { loadReferences, refuseMisfits, type References } from "./post-references.ts";

/** A post after it was given a time. */
export interface Scheduled {
  readonly postId: string;
  readonly moment: Moment;
}

export interface Scheduling {
  readonly postId: string;
  readonly at: When;
  /** May refuse the version that is found. */
  readonly checkVersion?: (version: number) => void;
}

/**
 * Gives a post its time on every channel that it is not yet published on: plans what has no plan, and moves what has.
 * All channels or none.
 * @throws {AppError} not_found `post.missing`; conflict `post.publishing`, `post.already_published`; invalid
 *   `post.no_channels`, `post.unknown_channel`, `post.does_not_fit`, and as `resolveWhen`
 */
export async function schedulePost(
  context: Context,
  { workspaceId }: Actor,
  { postId, at, checkVersion }: Scheduling,
): Promise<Scheduled> {
  return inTransaction(context.db, async (tx) => {
    const post = await lockPost(tx, workspaceId, postId);
    if (!post) throw postMissing();
    checkVersion?.(post.version);
    const living = await lockLiving(tx, post.id);
    const moment = resolveWhen(at, await clock(tx));
    refuseInFlight(living);
    const open = stillOpen(post, living);
    const references = await loadReferences(tx, workspaceId, open);
    refuseMisfits(context, open, references);
    const plan = planFor(moment, post.latestAfterMinutes);
    await store(tx, workspaceId, planChannels(open, { living, references, plan }));
    await savePostState(tx, post.id, "scheduled");
    const due = [...references.channels.values()];
    await wakeChannels(
      tx,
      due.map(({ id, platform }) => ({ channelId: id, platform, at: moment.dueAt })),
    );
    return { postId: post.id, moment };
  });
}

/** The post with only the channels that nothing of it is public on. */
function stillOpen(post: Post, living: readonly PlannedDelivery[]): Post {
  if (post.channelIds.length === 0) {
    const detail = "The post names no channel. Add one, then schedule it.";
    const field = { path: "channelIds", code: "post.no_channels", detail };
    throw new AppError("invalid", "post.no_channels", detail, [field]);
  }
  const out = living.filter(isOut);
  const isOpen = (id: string) => !out.some((delivery) => delivery.channelId === id);
  const channelIds = post.channelIds.filter(isOpen);
  if (channelIds.length === 0) refuseOut(out);
  const variants = Object.entries(post.variants).filter(([id]) => isOpen(id));
  return { ...post, channelIds, variants: Object.fromEntries(variants) };
}

interface Planning {
  readonly living: readonly PlannedDelivery[];
  readonly references: References;
  readonly plan: Plan;
}

interface Planned {
  readonly added: readonly NewDelivery[];
  readonly moved: readonly Replan[];
}

function planChannels(post: Post, { living, references, plan }: Planning): Planned {
  const added: NewDelivery[] = [];
  const moved: Replan[] = [];
  for (const [channelId, channel] of references.channels) {
    const { platform } = channel;
    const contentHash = deliveryHash(post, channel, references.media);
    const known = living.find((delivery) => delivery.channelId === channelId);
    if (known) moved.push({ id: known.id, version: known.version, contentHash, ...plan });
    else added.push({ id: uuidv7(), postId: post.id, channelId, platform, contentHash, ...plan });
  }
  return { added, moved };
}

async function store(tx: Tx, workspaceId: string, { added, moved }: Planned): Promise<void> {
  await insertDeliveries(tx, workspaceId, added);
  await replanDeliveries(tx, workspaceId, moved, "delivery.moved");
}
