import type { StatusView } from "../../shared/contract/status.ts";
import type { PublishingOutlook } from "../../shared/queries/status.ts";

/** Answers "will the next 24 hours publish?", and why not. */
export function presentStatus(
  outlook: PublishingOutlook,
  mode: StatusView["queue"]["mode"],
): StatusView {
  const { at, due, channelsAtRisk, signInsEnding, waiting, oldestOverdue } = outlook;
  const atStake = [...channelsAtRisk, ...signInsEnding].reduce(
    (sum, channel) => sum + channel.deliveriesAtStake,
    0,
  );
  return {
    ok: atStake === 0 && oldestOverdue === null,
    at: at.toISOString(),
    next24Hours: { deliveries: due, atStake },
    channelsNeedingAttention: channelsAtRisk.map((channel) => ({
      channelId: channel.channelId,
      name: channel.name,
      platform: channel.platform,
      kind: channel.attention?.kind ?? "bug",
      title: channel.attention?.title ?? "",
      deliveriesAtStake: channel.deliveriesAtStake,
    })),
    waitingForPerson: { ...waiting },
    oldestOverdue: oldestOverdue && {
    signInsEnding: signInsEnding.map((ending) => ({
      channelId: ending.channelId,
      name: ending.name,
      platform: ending.platform,
      signInEndsAt: ending.signInEndsAt.toISOString(),
      deliveriesAtStake: ending.deliveriesAtStake,
    })),
      deliveryId: oldestOverdue.deliveryId,
      dueAt: oldestOverdue.dueAt.toISOString(),
    },
    queue: { mode },
  };
}
