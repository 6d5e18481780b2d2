import { beforeAll, expect } from "@jest/globals";
import type { Selectable } from "kysely";
import type { PostView } from "../../shared/contract/post.ts";
import type { ScheduledPostView } from "../../shared/contract/schedule.ts";
import type { Tables } from "../../shared/db/tables.ts";
import type { ApiAnswer } from "./api-client.ts";
import type { ApiStack } from "./api-stack.ts";
import { aChannel } from "./builders.ts";

/** Where the clock stands. */
export const now = new Date("2027-02-01T12:00:00Z");
/** A time for a post: 15:00 UTC. */
export const tomorrow = { local: "2027-02-02T09:00", zone: "America/Chicago" };
/** When a worker would have published it. */
export const publishedAt = new Date("2027-02-02T15:00:02Z");

/** A post's only part. */
export const text = (words: string) => [{ text: words }];

type StoredDelivery = Selectable<Tables["deliveries"]>;
type Channel = { readonly id: string; readonly name: string };

/** Posts made over the API, and what is stored of them. */
export interface PlannedPosts {
  readonly channel: Channel;
  readonly other: Channel;
  /** A draft, without a channel where nothing else is said. */
  readonly created: (body?: object) => Promise<PostView>;
  /** The id of a draft for the channel. */
  readonly draft: (body?: object) => Promise<string>;
  readonly schedule: (postId: string, at?: unknown) => Promise<ApiAnswer<ScheduledPostView>>;
  /** A post for the channel, with a time. */
  readonly scheduled: (body?: object) => Promise<PostView>;
  /** The same, by its ids. */
  readonly planned: (body?: object) => Promise<{ postId: string; deliveryIds: string[] }>;
  /** The deliveries of a post, whatever became of them. */
  readonly stored: (postId: string) => Promise<StoredDelivery[]>;
  readonly storedDelivery: (id: string) => Promise<StoredDelivery>;
}

/** Registers the hook that makes the channels. */
export function plannedPosts(stack: ApiStack): PlannedPosts {
  let channel: Channel;
  let other: Channel;
  beforeAll(async () => {
    channel = await aChannel(stack.context, stack.client.actor, { name: "Heart Center" });
    other = await aChannel(stack.context, stack.client.actor, { name: "Public Health" });
  });

  async function created(body: object = {}): Promise<PostView> {
    const given = { parts: text("Walk for ten minutes after a meal."), ...body };
    const answer = await stack.client.post<PostView>("/posts", given);
    expect(answer.status).toBe(201);
    return answer.body;
  }
  const draft = async (body: object = {}) =>
    (await created({ channelIds: [channel.id], ...body })).id;
  const schedule = (postId: string, at: unknown = tomorrow) =>
    stack.client.post<ScheduledPostView>(`/posts/${postId}/schedule`, { at });
  async function scheduled(body: object = {}): Promise<PostView> {
    const postId = await draft(body);
    expect((await schedule(postId)).status).toBe(200);
    return (await stack.client.get<PostView>(`/posts/${postId}`)).body;
  }
  return {
    get channel() {
      return channel;
    },
    get other() {
      return other;
    },
    created,
    draft,
    schedule,
    scheduled,
    async planned(body) {
      const { id: postId, deliveries } = await scheduled(body);
      return { postId, deliveryIds: deliveries.map(({ id }) => id) };
    },
    stored: (postId) =>
      stack.db
        .selectFrom("deliveries")
        .selectAll()
        .where("postId", "=", postId)
        .orderBy("id")
        .execute(),
    storedDelivery: (id) =>
      stack.db.selectFrom("deliveries").selectAll().where("id", "=", id).executeTakeFirstOrThrow(),
  };
}

/** The id of a post's first delivery. */
export function deliveryOf(post: PostView): string {
  const [delivery] = post.deliveries;
  if (!delivery) throw new Error("The post has no delivery.");
  return delivery.id;
}
