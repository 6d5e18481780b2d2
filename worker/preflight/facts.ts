import { findingsOf, type References } from "../../shared/commands/post-references.ts";
import type { Context } from "../../shared/context.ts";
import { findMedia, type MediumReference } from "../../shared/db/post-references.ts";
import {
  busyTimesOfApp,
  busyTimesOfChannel,
  type BusyTime,
  type DuePreflight,
  type DuePreflights,
  type PreflightChannel,
} from "../../shared/db/preflights.ts";
import { partsFor } from "../../shared/domain/content.ts";
import { deliveryHash, mediaIdsOf, type PostContent } from "../../shared/domain/post.ts";
import type { PreflightFacts } from "../../shared/domain/preflight.ts";
import type { WallClock } from "../../shared/domain/schedule.ts";
import { budgetFreeAt, countsFrom } from "./budget-outlook.ts";

/** What the deliveries of one look have in common. */
export interface Surroundings {
  readonly channel: PreflightChannel;
  readonly now: Date;
  readonly media: ReadonlyMap<string, MediumReference>;
  /** Of the media, those whose file is not there, or not as it was uploaded. */
  readonly brokenMedia: ReadonlySet<string>;
  readonly onChannel: readonly BusyTime[];
  readonly ofApp: readonly BusyTime[];
}

export async function readSurroundings(
  context: Context,
  { channel, deliveries, now }: DuePreflights,
): Promise<Surroundings> {
  const contents = deliveries.map((delivery) => contentOf(channel, delivery));
  const ids = [...new Set(contents.flatMap(mediaIdsOf))];
  const media = await findMedia(context.db, channel.workspaceId, ids);
  const brokenMedia = await findBroken(context, channel, ids, media);
  return {
    channel,
    now,
    media,
    brokenMedia,
    ...(await readBusyTimes(context, channel, deliveries)),
  };
}

async function findBroken(
  { media: store }: Context,
  { workspaceId }: PreflightChannel,
  ids: readonly string[],
  media: ReadonlyMap<string, MediumReference>,
): Promise<ReadonlySet<string>> {
  const broken = new Set<string>();
  for (const id of ids) {
    const medium = media.get(id);
    const size = medium ? await store.sizeOf(workspaceId, medium.sha256) : null;
    if (size === null || size !== medium?.byteLength) broken.add(id);
  }
  return broken;
}

async function readBusyTimes(
  { db, config }: Context,
  channel: PreflightChannel,
  deliveries: readonly DuePreflight[],
): Promise<Pick<Surroundings, "onChannel" | "ofApp">> {
  const times = deliveries.map(({ dueAt }) => dueAt.getTime());
  const firstDue = new Date(Math.min(...times));
  const lastDue = new Date(Math.max(...times));
  const { budgets } = channel.capabilities;
  const of = (scope: "channel" | "app") => budgets.filter((budget) => budget.scope === scope);
  const earliest = (scope: "channel" | "app") =>
    Math.min(...of(scope).map((budget) => countsFrom(budget, firstDue).getTime()));
  const gapMs = config.catchUpGapMs;
  const from = new Date(Math.min(earliest("channel"), firstDue.getTime() - gapMs));
  const to = new Date(lastDue.getTime() + gapMs);
  return {
    onChannel: await busyTimesOfChannel(db, channel, from, to),
    ofApp:
      of("app").length === 0
        ? []
        : await busyTimesOfApp(db, channel, new Date(earliest("app")), lastDue),
  };
}

/** All that a forecast for one delivery needs. */
export function factsFor(
  context: Context,
  delivery: DuePreflight,
  surroundings: Surroundings,
  wallClock: WallClock["is"],
): PreflightFacts {
  const { channel, now, media, brokenMedia } = surroundings;
  const { attention, signInEndsAt, signInRenews, isOut, waitUntil, waitReason } = channel;
  const content = contentOf(channel, delivery);
  const mediaIds = mediaIdsOf(content);
  const isComplete = mediaIds.every((id) => media.has(id));
  const references: References = { channels: new Map([[channel.id, channel]]), media };
  return {
    dueAt: delivery.dueAt,
    latestAt: delivery.latestAt,
    now,
    attention,
    signInEndsAt,
    signInRenews,
    wait: waitUntil && waitReason ? { until: waitUntil, reason: waitReason } : null,
    isPlatformOut: isOut,
    isHeld: delivery.isHeld,
    // Without its media there is nothing to compare; that they are gone is said by itself.
    isAsScheduled: !isComplete || deliveryHash(content, channel, media) === delivery.contentHash,
    findings: findingsOf(context, content, references),
    brokenMediaIds: mediaIds.filter((id) => brokenMedia.has(id)),
    budgetFreeAt: freeAt(context, delivery, surroundings),
    hasNeighbour: hasNeighbour(context, delivery, surroundings),
    wallClock: wallClock === "moved" ? "as_meant" : wallClock,
  };
}

function freeAt(
  { config }: Context,
  delivery: DuePreflight,
  { channel, onChannel, ofApp }: Surroundings,
): Date | null {
  if (!config.countsBudgets) return null;
  const posts = partsFor(delivery.parts, delivery.variant).length;
  const times = channel.capabilities.budgets.flatMap((budget) => {
    const busy = budget.scope === "app" ? ofApp : onChannel;
    const at = budgetFreeAt(budget, { id: delivery.id, dueAt: delivery.dueAt, posts }, busy);
    return at === null ? [] : [at.getTime()];
  });
  return times.length === 0 ? null : new Date(Math.max(...times));
}

function hasNeighbour(
  { config }: Context,
  { id, dueAt }: DuePreflight,
  { onChannel }: Surroundings,
): boolean {
  return onChannel.some(
    ({ at, deliveryId }) =>
      deliveryId !== id && Math.abs(at.getTime() - dueAt.getTime()) < config.catchUpGapMs,
  );
}

/** The post as far as this channel shows it. */
function contentOf({ id }: PreflightChannel, { parts, variant, link }: DuePreflight): PostContent {
  const variants = variant ? { [id]: variant } : {};
  const rest = { sources: [], labels: [], campaign: null, latestAfterMinutes: 1 };
  return { parts: variant?.parts ?? parts, channelIds: [id], variants, link, ...rest };
}
