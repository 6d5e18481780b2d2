import type { StatusView } from "../../shared/contract/status.ts";
import type { PlatformHealth } from "../../shared/queries/platforms.ts";
import type { PublishingOutlook } from "../../shared/queries/status.ts";

/** Answers "will the next 24 hours publish?", and why not. */
export function presentStatus(
  outlook: PublishingOutlook,
  platforms: readonly PlatformHealth[],
  mode: StatusView["queue"]["mode"],
): StatusView {
  const { at, due, channelsAtRisk, signInsEnding, waiting, oldestOverdue } = outlook;
  const atStake = [...channelsAtRisk, ...signInsEnding].reduce(
    (sum, channel) => sum + channel.deliveriesAtStake,
    0,
  );
  return {
    ok: atStake === 0 && oldestOverdue === null && platforms.every(isWell),
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
    signInsEnding: signInsEnding.map((ending) => ({
      channelId: ending.channelId,
      name: ending.name,
      platform: ending.platform,
      signInEndsAt: ending.signInEndsAt.toISOString(),
      deliveriesAtStake: ending.deliveriesAtStake,
    })),
    waitingForPerson: { ...waiting },
    oldestOverdue: oldestOverdue && {
      deliveryId: oldestOverdue.deliveryId,
      dueAt: oldestOverdue.dueAt.toISOString(),
    },
    platforms: platforms.map(presentPlatformHealth),
    queue: { mode },
  };
}

function isWell({ breaker, waitingDeliveries }: PlatformHealth): boolean {
  return breaker === "closed" && waitingDeliveries === 0;
}

function presentPlatformHealth(health: PlatformHealth): StatusView["platforms"][number] {
  const { platform, host, breaker, waitingDeliveries } = health;
  return {
    platform,
    host,
    breaker,
    since: health.since?.toISOString() ?? null,
    retryAt: health.retryAt?.toISOString() ?? null,
    appWaitsUntil: health.appWaitsUntil?.toISOString() ?? null,
    waitingDeliveries,
  };
}
