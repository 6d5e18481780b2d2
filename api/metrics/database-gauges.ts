import type { Registry } from "prom-client";
import type { Context } from "../../shared/context.ts";
import { clockSkewMs } from "../../shared/db/clock-skew.ts";
import { countOverdue } from "../../shared/db/overdue.ts";
import { WAIT_REASONS } from "../../shared/domain/wait.ts";
import { readForecastGauges, readGauges, readSignInGauges } from "../../shared/queries/metrics.ts";
import { readWaitGauges } from "../../shared/queries/platforms.ts";
import { addGauge, type GaugeGroup } from "./gauge-group.ts";

/** What PostgreSQL alone knows: it is seen here also when no worker lives. */
export function databaseGauges(register: Registry, context: Context): readonly GaugeGroup[] {
  return [
    workGauges(register, context),
    overdueGauges(register, context),
    outlookGauges(register, context),
    waitGauges(register, context),
    clockGauge(register, context),
  ];
}

function workGauges(register: Registry, { db }: Context): GaugeGroup {
  const deliveries = addGauge(
    register,
    "deliveries",
    "Deliveries under way or waiting for a person, by state",
    ["state"],
  );
  const overdue = addGauge(
    register,
    "outbox_overdue",
    "Subjects that a worker should have looked at by now",
  );
  const oldest = addGauge(register, "outbox_oldest_seconds", "How late the oldest of them is");
  const lag = addGauge(
    register,
    "promoter_lag_seconds",
    "How late the oldest of them is that nobody has handed to the queue",
  );
  const expired = addGauge(
    register,
    "leases_expired",
    "Subjects whose worker died, and that nobody has taken over yet",
  );
  const workers = addGauge(register, "workers_alive", "Workers heard of within 12 seconds");
  return {
    gauges: [deliveries, overdue, oldest, lag, expired, workers],
    async fill() {
      const read = await readGauges(db);
      for (const [state, count] of read.deliveriesByState) deliveries.set({ state }, count);
      overdue.set(read.outboxOverdue);
      oldest.set(read.outboxOldestSeconds);
      lag.set(read.promoterLagSeconds);
      expired.set(read.leasesExpired);
      workers.set(read.workersAlive);
    },
  };
}

function overdueGauges(register: Registry, { db, config }: Context): GaugeGroup {
  const count = addGauge(
    register,
    "deliveries_overdue",
    "Deliveries whose time has passed and that nothing works on",
  );
  const oldest = addGauge(
    register,
    "deliveries_overdue_oldest_seconds",
    "How late the latest of them is",
  );
  return {
    gauges: [count, oldest],
    async fill() {
      const overdue = await countOverdue(db, config.overdueAfterMs, null);
      count.set(overdue.count);
      oldest.set(overdue.oldest?.lateSeconds ?? 0);
    },
  };
}

function outlookGauges(register: Registry, { db }: Context): GaugeGroup {
  const forecasts = addGauge(
    register,
    "forecast_deliveries",
    "Deliveries of the next 24 hours, by what is foretold of them",
    ["light"],
  );
  const signIns = addGauge(
    register,
    "sign_in_ends_seconds",
    "Until a channel's sign-in ends; negative where it has ended",
    ["channel", "platform", "renews"],
  );
  return {
    gauges: [forecasts, signIns],
    async fill() {
      for (const { light, count } of await readForecastGauges(db)) forecasts.set({ light }, count);
      for (const { channelId, platform, renews, seconds } of await readSignInGauges(db)) {
        signIns.set({ channel: channelId, platform, renews: String(renews) }, seconds);
      }
    },
  };
}

/** What each state of a breaker is on a graph. */
const BREAKER_LEVELS = { closed: 0, half_open: 1, open: 2 } as const;

function waitGauges(register: Registry, { db }: Context): GaugeGroup {
  const breaker = addGauge(
    register,
    "platform_breaker",
    "Platforms that have been away: 0 answers again, 1 is being tried, 2 is away",
    ["platform", "host"],
  );
  const waiting = addGauge(
    register,
    "channels_waiting",
    "Channels with something due that must wait, by reason",
    ["reason"],
  );
  return {
    gauges: [breaker, waiting],
    async fill() {
      const { breakers, channelsWaiting } = await readWaitGauges(db);
      for (const { platform, host, breaker: state } of breakers) {
        breaker.set({ platform, host }, BREAKER_LEVELS[state]);
      }
      for (const reason in WAIT_REASONS) waiting.set({ reason }, channelsWaiting.get(reason) ?? 0);
    },
  };
}

function clockGauge(register: Registry, { db }: Context): GaugeGroup {
  const help = "How far this process's clock is ahead of PostgreSQL's; negative when behind";
  const skew = addGauge(register, "clock_skew_seconds", help);
  return {
    gauges: [skew],
    async fill() {
      skew.set((await clockSkewMs(db)) / 1_000);
    },
  };
}
