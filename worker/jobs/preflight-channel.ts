import { takeNews } from "../../shared/db/preflight-news.ts";
import {
  duePreflights,
  recordPreflights,
  type DuePreflight,
  type DuePreflights,
} from "../../shared/db/preflights.ts";
import { confirmZoneRules, moveByZoneRules } from "../../shared/db/zone-moves.ts";
import { forecast, isNewsToOwners, nextPreflightAt } from "../../shared/domain/preflight.ts";
import {
  isByOlderRules,
  resolveAgain,
  TZDB_VERSION,
  type WallClock,
} from "../../shared/domain/schedule.ts";
import type { Handler, Work } from "../engine/handler.ts";
import { factsFor, readSurroundings } from "../preflight/facts.ts";

/** Foretells what becomes of the deliveries of one channel that are to be looked at, and obeys new rules of their zones first. */
export const preflightChannelHandler: Handler = async (work) => {
  const { context, lease, signal } = work;
  while (!signal.aborted) {
    await takeNews(context.db, lease.subjectId);
    const due = await duePreflights(context.db, lease.subjectId);
    if (!due) return;
    context.observeClock(due.now);
    await lookAt(work, due);
  }
};

async function lookAt({ context }: Work, due: DuePreflights): Promise<void> {
  const { channel, now } = due;
  const resolved = due.deliveries.map((delivery) => ({ delivery, clock: wallClockOf(delivery) }));
  const moves = resolved.flatMap(({ delivery, clock }) =>
    clock.is === "moved"
      ? [{ deliveryId: delivery.id, version: delivery.version, dueAt: clock.dueAt }]
      : [],
  );
  const where = { channelId: channel.id, platform: channel.platform };
  await moveByZoneRules(context.db, where, moves, TZDB_VERSION);
  for (const { deliveryId } of moves) {
    context.log.warn({ deliveryId, tzdb: TZDB_VERSION }, "moved by new rules of its time zone");
  }
  // What was moved is another plan now, and is looked at as that.
  const staying = resolved.filter(({ clock }) => clock.is !== "moved");
  const surroundings = await readSurroundings(context, due);
  const records = staying.map(({ delivery, clock }) => {
    const { id: deliveryId, version, dueAt } = delivery;
    const found = forecast(factsFor(context, delivery, surroundings, clock.is));
    const nextAt = nextPreflightAt(dueAt, now);
    return { deliveryId, version, forecast: found, nextAt, isNewsToOwners: isNewsToOwners(found) };
  });
  await recordPreflights(context.db, records);
  const agreed = staying.filter(({ delivery }) => isByOlderRules(delivery.tzdb));
  await confirmZoneRules(
    context.db,
    agreed.map(({ delivery }) => delivery),
    TZDB_VERSION,
  );
}

/** A plan is moved by newer rules alone: during an update, workers with older and newer ones run side by side. */
function wallClockOf(delivery: DuePreflight): WallClock {
  const { localTime, zone, dueAt } = delivery;
  if (localTime === null || zone === null) return { is: "as_meant" };
  const found = resolveAgain({ localTime, zone, dueAt });
  const mayMove = delivery.isUntried && isByOlderRules(delivery.tzdb);
  return found.is === "moved" && !mayMove ? { is: "as_meant" } : found;
}
