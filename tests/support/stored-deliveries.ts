import { beforeEach } from "@jest/globals";
import type { DeliveryView } from "../../shared/contract/delivery.ts";
import type { FailureKind } from "../../shared/domain/failure.ts";
import type { ApiStack } from "./api-stack.ts";
import { aChannel, aDelivery, type StoredDelivery } from "./builders.ts";

/** When a stored delivery was due, where nothing else is said. */
export const dueAt = new Date("2027-02-05T15:00:00Z");
/** Half an hour later: where the clock stands. */
export const now = new Date("2027-02-05T15:30:00Z");

/** What a delivery may consist of: the first parts of a thread. */
export const parts = (count: number) =>
  ["One.", "Two.", "Three."].slice(0, count).map((text) => ({ text, mediaIds: [] }));

export const errorOf = (kind: FailureKind) => ({
  kind,
  platformMessage: "Says no.",
  platformCode: "403",
});

// oxlint-disable-next-line unicorn/no-thenable -- a word of the public contract, and never a function
export const notPublished = (then: "send_again" | "drop") => ({ outcome: "not_published", then });

type Channel = { readonly id: string; readonly platform: string };

/** Deliveries as workers leave them. */
export interface StoredDeliveries {
  /** A new one for each test. */
  readonly channel: Channel;
  /** @param count how many parts its post has */
  readonly stored: (
    delivery: StoredDelivery,
    count?: number,
  ) => Promise<{ id: string; postId: string }>;
  readonly read: (deliveryId: string) => Promise<DeliveryView>;
  /** What the channel is woken for. */
  readonly wakes: () => Promise<{ job: string; lane: string; runAt: Date }[]>;
}

/** Registers the hook that makes the channel. */
export function storedDeliveries(stack: ApiStack): StoredDeliveries {
  let channel: Channel;
  beforeEach(async () => {
    channel = await aChannel(stack.context, stack.client.actor);
  });
  return {
    get channel() {
      return channel;
    },
    stored: (delivery, count = 1) =>
      aDelivery(stack.context, stack.client.actor, channel, {
        dueAt,
        ...delivery,
        content: { parts: parts(count) },
      }),
    read: async (id) => (await stack.client.get<DeliveryView>(`/deliveries/${id}`)).body,
    wakes: () =>
      stack.db
        .selectFrom("outbox")
        .select(["job", "lane", "runAt"])
        .where("subjectId", "=", channel.id)
        .orderBy("job")
        .execute(),
  };
}
