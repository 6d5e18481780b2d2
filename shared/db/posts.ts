import { type RawBuilder, sql } from "kysely";
import type { PartContent, Source } from "../domain/content.ts";
import type { Post, PostContent, Variant } from "../domain/post.ts";
import type { Db, Tx } from "./client.ts";
import { inRoundsOf } from "./rounds.ts";

/** A request has at most a megabyte, so a statement of all of them stays one that PostgreSQL takes easily. */
const POSTS_TOGETHER = 50;

interface PostWithChannels {
  readonly id: string;
  readonly externalId: string | null;
  readonly state: "draft" | "scheduled";
  readonly version: number;
  readonly parts: PartContent[];
  readonly link: string | null;
  readonly sources: Source[];
  readonly labels: string[];
  readonly campaign: string | null;
  readonly latestAfterMinutes: number;
  readonly contentHash: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly channels: readonly { channelId: string; variant: Variant | null }[];
}

const POST = sql`
  p.id, p.external_id, p.state, p.version, p.parts, p.link, p.sources, p.labels, p.campaign, p.latest_after_minutes,
  p.content_hash, p.created_at, p.updated_at,
  coalesce((select jsonb_agg(jsonb_build_object('channelId', pc.channel_id, 'variant', pc.variant) order by pc.channel_id)
              from post_channels pc where pc.post_id = p.id), '[]') as channels`;

/** A post of the workspace that was not removed, or null. */
export async function findPost(db: Db, workspaceId: string, postId: string): Promise<Post | null> {
  const [post] = await selectPosts(db, sql`p.workspace_id = ${workspaceId} and p.id = ${postId}`);
  return post ?? null;
}

/**
 * As `findPost`, and nobody else may change the post, its channels or which deliveries it has before the transaction ends.
 * The order is: post, then its deliveries by id, then the outbox.
 */
export async function lockPost(tx: Tx, workspaceId: string, postId: string): Promise<Post | null> {
  // Not `for update`: a new delivery refers to the post and would have to wait for that.
  await sql`select id from posts where workspace_id = ${workspaceId} and id = ${postId}
               for no key update`.execute(tx);
  // Read only now, as what the lock waited for may have changed the channels as well.
  return findPost(tx, workspaceId, postId);
}

/** @param where over `p`, the posts; those that were removed are left out already */
export async function selectPosts(
  db: Db,
  where: RawBuilder<unknown>,
  limit: number | null = null,
): Promise<Post[]> {
  const { rows } = await sql<PostWithChannels>`
    select ${POST} from posts p where p.removed_at is null and ${where}
     order by p.id desc limit ${limit}`.execute(db);
  return rows.map(asPost);
}

/** A post that is about to be stored. */
export interface NewPost extends PostContent {
  readonly id: string;
  readonly workspaceId: string;
  /** The id of a token. */
  readonly createdBy: string;
  readonly externalId: string | null;
  readonly state: Post["state"];
  readonly contentHash: string;
}

/**
 * Stores posts with their channels and tells of them, in one statement.
 * @returns when, in the order given; null for one that was not stored, as its external id is taken
 */
export async function insertPosts(
  db: Db,
  posts: readonly NewPost[],
): Promise<readonly (Date | null)[]> {
  const given = JSON.stringify(posts.map((post) => ({ ...post, channels: channelsOf(post) })));
  const { rows } = await sql<{ id: string; createdAt: Date }>`
    with given as (
      select * from jsonb_to_recordset(${given}::jsonb)
        as g(id uuid, "workspaceId" uuid, "createdBy" uuid, "externalId" text, state text, parts jsonb, link text,
             sources jsonb, labels jsonb, campaign text, "latestAfterMinutes" int, "contentHash" text, channels jsonb)),
    stored as (
      insert into posts (id, workspace_id, external_id, state, parts, link, sources, labels, campaign,
                         latest_after_minutes, content_hash, created_by)
      select id, "workspaceId", "externalId", state, parts, link, sources,
             array(select jsonb_array_elements_text(g.labels)), campaign, "latestAfterMinutes", "contentHash", "createdBy"
        from given g
      on conflict (workspace_id, external_id) where external_id is not null do nothing
      returning id, workspace_id, created_at),
    placed as (
      insert into post_channels (workspace_id, post_id, channel_id, variant)
      select s.workspace_id, s.id, (c ->> 'channelId')::uuid, nullif(c -> 'variant', 'null')
        from given g join stored s on s.id = g.id cross join jsonb_array_elements(g.channels) c),
    told as (
      insert into events (workspace_id, type, subject_id)
      select workspace_id, 'post.created', id from stored)
    select id, created_at from stored`.execute(db);
  const storedAt = new Map(rows.map(({ id, createdAt }) => [id, createdAt]));
  return posts.map(({ id }) => storedAt.get(id) ?? null);
}

const insertTogether = inRoundsOf(POSTS_TOGETHER, insertPosts);

/** As `insertPosts`, in one statement with what others store at the same time. */
export async function insertPost(db: Db, post: NewPost): Promise<Date | null> {
  // An external id may have to wait for an import that has it, too: nobody else shall wait with it.
  if (post.externalId === null) return insertTogether(db, post);
  const [storedAt = null] = await insertPosts(db, [post]);
  return storedAt;
}

/** Stores an edited post. The caller holds its lock. */
export async function saveContent(
  tx: Tx,
  workspaceId: string,
  post: Pick<Post, "id" | "version" | "contentHash"> & PostContent,
): Promise<void> {
  await tx
    .updateTable("posts")
    .set({
      version: post.version,
      contentHash: post.contentHash,
      parts: JSON.stringify(post.parts),
      link: post.link,
      sources: JSON.stringify(post.sources),
      labels: [...post.labels],
      campaign: post.campaign,
      latestAfterMinutes: post.latestAfterMinutes,
      updatedAt: sql<Date>`clock()`,
    })
    .where("id", "=", post.id)
    .where("workspaceId", "=", workspaceId)
    .execute();
  await sql`
    with given as (
      select (c ->> 'channelId')::uuid as channel_id, nullif(c -> 'variant', 'null') as variant
        from jsonb_array_elements(${JSON.stringify(channelsOf(post))}::jsonb) c),
    gone as (
      delete from post_channels pc
       where pc.post_id = ${post.id} and pc.channel_id not in (select channel_id from given))
    insert into post_channels (workspace_id, post_id, channel_id, variant)
    select ${workspaceId}, ${post.id}, channel_id, variant from given
    on conflict (post_id, channel_id) do update set variant = excluded.variant`.execute(tx);
}

/** Says whether the post is planned. Its content, and so its version, stay. */
export async function savePostState(tx: Tx, postId: string, state: Post["state"]): Promise<void> {
  await tx
    .updateTable("posts")
    .set({ state, updatedAt: sql<Date>`clock()` })
    .where("id", "=", postId)
    .where("state", "!=", state)
    .execute();
}

/** Locks the posts of deliveries, by id. @param where over `d`, the deliveries */
export async function lockPostsOf(
  tx: Tx,
  where: RawBuilder<unknown>,
  limit: number,
): Promise<void> {
  await sql`
    select p.id from posts p
     where p.id in (select d.post_id from deliveries d where ${where} order by d.id limit ${limit})
     order by p.id for no key update`.execute(tx);
}

/** After some of their deliveries were cancelled, posts with none that lives are drafts again. */
export async function savePostsAfterCancel(tx: Tx, postIds: readonly string[]): Promise<void> {
  await sql`
    update posts p set state = 'draft', updated_at = clock()
     where p.id = any(${postIds}::uuid[]) and p.state <> 'draft'
       and not exists (select 1 from deliveries d where d.post_id = p.id and d.state not in ('cancelled', 'removed'))`.execute(
    tx,
  );
}

/** Takes a post away from every list, and frees its external id. */
export async function markRemoved(tx: Tx, postId: string): Promise<void> {
  await tx
    .updateTable("posts")
    .set({ removedAt: sql<Date>`clock()`, externalId: null, state: "draft" })
    .where("id", "=", postId)
    .execute();
}

function channelsOf({ channelIds, variants }: PostContent) {
  return channelIds.map((channelId) => ({ channelId, variant: variants[channelId] ?? null }));
}

function asPost({ channels, ...row }: PostWithChannels): Post {
  const variants: Record<string, Variant> = {};
  for (const { channelId, variant } of channels) if (variant) variants[channelId] = variant;
  return { ...row, channelIds: channels.map(({ channelId }) => channelId), variants };
}

export async function findPostIdByExternalId(
  db: Db,
  workspaceId: string,
  externalId: string | null,
): Promise<string | null> {
  const row = await db
    .selectFrom("posts")
    .select("id")
    .where("workspaceId", "=", workspaceId)
    .where("externalId", "=", externalId)
    .executeTakeFirst();
  return row?.id ?? null;
}
