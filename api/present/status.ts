import type { StatusView } from "../../shared/contract/status.ts";
import { FORECAST_LIGHTS, type ChannelForecast } from "../../shared/queries/forecasts.ts";
import type { PlatformHealth } from "../../shared/queries/platforms.ts";
import type { PublishingOutlook } from "../../shared/queries/status.ts";
import { presentReason } from "./delivery.ts";

/** Answers "will the next 24 hours publish?", and why not. */
export function presentStatus(
  outlook: PublishingOutlook,
  platforms: readonly PlatformHealth[],
  queue: StatusView["queue"],
): StatusView {
  const { at, due, channelsAtRisk, signInsEnding, waiting, overdue, workers } = outlook;
  const lights = sumLights(outlook.forecasts);
  const atStake = [...channelsAtRisk, ...signInsEnding].reduce(
    (sum, channel) => sum + channel.deliveriesAtStake,
    0,
  );
  return {
    ok: isClear(outlook) && atStake === 0 && lights.red === 0 && platforms.every(isWell),
    at: at.toISOString(),
    next24Hours: { deliveries: due, atStake, ...lights },
    channels: outlook.forecasts.map(presentForecast),
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
    oldestOverdue: overdue.oldest && {
      deliveryId: overdue.oldest.deliveryId,
      dueAt: overdue.oldest.dueAt.toISOString(),
    },
    overdue: overdue.count,
    workers: { alive: workers.alive, lastSeenAt: workers.lastSeenAt?.toISOString() ?? null },
    platforms: platforms.map(presentPlatformHealth),
    queue,
  };
}

/** Nothing is late, and somebody is there to publish. */
function isClear({ overdue, workers }: PublishingOutlook): boolean {
  return overdue.count === 0 && workers.alive > 0;
}

function sumLights(forecasts: readonly ChannelForecast[]): ChannelForecast["lights"] {
  const sum = { green: 0, amber: 0, red: 0, unchecked: 0 };
  for (const { lights } of forecasts) {
    for (const light of FORECAST_LIGHTS) sum[light] += lights[light];
  }
  return sum;
}

function presentForecast(forecast: ChannelForecast): StatusView["channels"][number] {
  const { channelId, name, platform, lights, reds } = forecast;
  return {
    channelId,
    name,
    platform,
    ...lights,
    reds: reds.map(({ deliveryId, dueAt, reasons }) => ({
      deliveryId,
      dueAt: dueAt.toISOString(),
      reasons: reasons.map(presentReason),
    })),
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
