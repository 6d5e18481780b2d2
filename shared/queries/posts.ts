import { sql } from "kysely";
import type { Db } from "../db/client.ts";
import { findPost, selectPosts } from "../db/posts.ts";
import type { Post } from "../domain/post.ts";
import { allOf, livingDeliveries, type PostDelivery } from "./deliveries.ts";

/** A post with what is planned or was done with it. */
export interface PostWithDeliveries {
  readonly post: Post;
  readonly deliveries: readonly PostDelivery[];
}

export async function readPost(
  db: Db,
  workspaceId: string,
  postId: string,
): Promise<PostWithDeliveries | null> {
  const post = await findPost(db, workspaceId, postId);
  return post && { post, deliveries: await livingDeliveries(db, [post.id]) };
}

export interface PostListFilter {
  readonly state?: Post["state"] | undefined;
  readonly channelId?: string | undefined;
  readonly campaign?: string | undefined;
  readonly label?: string | undefined;
  readonly externalId?: string | undefined;
}

/**
 * Posts, newest first.
 * @param page.after id of the last one of the page before
 * @returns up to one more than the limit
 */
export async function listPosts(
  db: Db,
  workspaceId: string,
  filter: PostListFilter,
  page: { readonly after: string | null; readonly limit: number },
): Promise<readonly PostWithDeliveries[]> {
  const { state, channelId, campaign, label, externalId } = filter;
  const conditions = [
    sql`p.workspace_id = ${workspaceId}`,
    state && sql`p.state = ${state}`,
    channelId &&
      sql`exists (select from post_channels pc where pc.post_id = p.id and pc.channel_id = ${channelId})`,
    campaign && sql`p.campaign = ${campaign}`,
    label && sql`p.labels @> ${[label]}::text[]`,
    externalId && sql`p.external_id = ${externalId}`,
    page.after && sql`p.id < ${page.after}`,
  ];
  const posts = await selectPosts(db, allOf(conditions), page.limit + 1);
  const deliveries = await livingDeliveries(
    db,
    posts.map(({ id }) => id),
  );
  return posts.map((post) => ({
    post,
    deliveries: deliveries.filter(({ postId }) => postId === post.id),
  }));
}
