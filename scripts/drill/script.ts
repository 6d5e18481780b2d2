import { v7 as uuidv7 } from "uuid";
import { contentHash } from "../../shared/domain/content.ts";
import { postHash, sealParts, type PostContent } from "../../shared/domain/post.ts";
import type { Cast } from "./cast.ts";
import type { DrillDatabase } from "./database.ts";
import { textsOf, type DrillDelivery, type DrillPlan, type Operation } from "./plan.ts";
import type { Wish } from "./api.ts";

/** What a delivery shows, and from when on it may. */
export interface Form {
  readonly texts: readonly string[];
  readonly dueAt: Date;
}

/** What was done to a delivery through the API, and what came back. */
export interface Done {
  readonly kind: Operation["kind"];
  readonly wish: Wish;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly status: number;
  /** The problem's code; empty where there was none. */
  readonly code: string;
}

/** One delivery with all that the drill did to it. */
export interface Line {
  readonly number: number;
  readonly channel: number;
  readonly hasImage: boolean;
  readonly planned: Form;
  /** After the operation, where that changes something. */
  changed: Form | null;
  done: Done | null;
  /** Empty until it is stored: for a creation, by the API. */
  postId: string;
  deliveryId: string;
}

const BULK = 1_000;

/** Stores all deliveries as scheduling would, in few statements, and wakes their channels. `base` is the drill's start. */
export async function storeScript(
  database: DrillDatabase,
  cast: Cast,
  plan: DrillPlan,
  base: Date,
): Promise<Line[]> {
  const lines: Line[] = plan.deliveries.map((delivery) => lineOf(plan.marker, delivery, base));
  for (let from = 0; from < lines.length; from += BULK) {
    const some = lines.slice(from, from + BULK);
    await insert(database, cast, JSON.stringify(some.map((line) => rowOf(cast, line))));
  }
  await database.rows("analyze");
  // What is on disk now need not be recovered after a restart.
  await database.rows("checkpoint");
  await database.rows(
    `insert into outbox (job, lane, subject_id, run_at, revision)
     select 'publish-channel', platform, channel_id, min(next_at), 1
       from deliveries where next_at is not null group by platform, channel_id
     on conflict (job, subject_id) do update
       set run_at = least(outbox.run_at, excluded.run_at), revision = outbox.revision + 1, handed_at = null`,
  );
  return lines;
}

export function lineOf(marker: string, delivery: DrillDelivery, base: Date): Line {
  const { number, channel, hasImage, afterMs } = delivery;
  const dueAt = new Date(base.getTime() + afterMs);
  return {
    number,
    channel,
    hasImage,
    planned: { texts: textsOf(marker, delivery, 0), dueAt },
    changed: null,
    done: null,
    postId: uuidv7(),
    deliveryId: uuidv7(),
  };
}

/** The parts as the API takes them: an image stands with the first. */
export function partsOf(
  { image }: Pick<Cast, "image">,
  texts: readonly string[],
  hasImage: boolean,
): { text: string; mediaIds: string[] }[] {
  return texts.map((text, part) => ({
    text,
    mediaIds: hasImage && part === 0 ? [image.id] : [],
  }));
}

function rowOf(cast: Cast, { planned, ...line }: Line): Record<string, unknown> {
  const channel = cast.channels[line.channel];
  const channelId = channel?.id ?? "";
  const parts = partsOf(cast, planned.texts, line.hasImage);
  const content: PostContent = {
    parts,
    channelIds: [channelId],
    variants: {},
    link: null,
    sources: [],
    labels: [],
    campaign: null,
    latestAfterMinutes: 15,
  };
  const media = new Map([[cast.image.id, cast.image]]);
  return {
    postId: line.postId,
    deliveryId: line.deliveryId,
    channelId,
    platform: channel?.platform,
    parts,
    postHash: postHash(content, media),
    hash: contentHash(sealParts(parts, media), null),
    dueAt: planned.dueAt,
  };
}

async function insert(database: DrillDatabase, cast: Cast, rows: string): Promise<void> {
  const { workspaceId, tokenId } = cast;
  await database.rows(
    `with given as (
       select * from jsonb_to_recordset($1::jsonb)
         as g("postId" uuid, "deliveryId" uuid, "channelId" uuid, platform text, parts jsonb, "postHash" text, hash text,
              "dueAt" timestamptz)),
     posted as (
       insert into posts (id, workspace_id, state, parts, content_hash, created_by)
       select "postId", $2, 'scheduled', parts, "postHash", $3 from given returning id),
     placed as (
       insert into post_channels (workspace_id, post_id, channel_id)
       select $2, "postId", "channelId" from given where (select count(*) from posted) > 0)
     insert into deliveries (id, workspace_id, post_id, channel_id, platform, state, content_hash, due_at, latest_at, next_at)
     select "deliveryId", $2, "postId", "channelId", platform, 'scheduled', hash, "dueAt", "dueAt" + interval '15 minutes',
            "dueAt"
       from given where (select count(*) from posted) > 0 order by "dueAt"`,
    [rows, workspaceId, tokenId],
  );
}
