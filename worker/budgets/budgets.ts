import type { Context } from "../../shared/context.ts";
import type { DueDelivery } from "../../shared/db/deliveries.ts";
import { forgetOldBudgets, noteBudgetUsage } from "../../shared/db/budget-usage.ts";
import {
  isQuota,
  portionOf,
  renewedAt,
  windowOf,
  type Budget,
  type BudgetWindow,
} from "../../shared/domain/budget.ts";
import { redisBudgets } from "./redis-store.ts";
import { postgresBudgets, type BudgetStore } from "./store.ts";

/** Who is counted. */
export type Customer = Pick<DueDelivery, "platform" | "host" | "channelId" | "capabilities">;

/** Crossings of the commit point that platforms allow. */
export interface Budgets {
  /** Takes one crossing out of every budget of the delivery's channel and app, or none. @returns null where it may go */
  take(delivery: Customer): Promise<Exhausted | null>;
  /** Puts back one that was not made. */
  giveBack(delivery: Customer): void;
  stop(): Promise<void>;
}

/** A budget has nothing left. */
export interface Exhausted {
  readonly scope: Budget["scope"];
  /** UTC. */
  readonly until: Date;
}

export interface BudgetStores {
  /** For windows shorter than a day. */
  readonly short: BudgetStore;
  /** For quotas of a day or more. */
  readonly long: BudgetStore;
}

/** What this worker has set aside of one budget. */
interface Pocket {
  readonly bucketAtMs: number;
  left: number;
  filling: Promise<Date | null> | null;
}

const FORGET_EVERY_MS = 60_000;

/** Budgets in the store that the queue uses; quotas of a day always in PostgreSQL. */
export function openBudgets(context: Context): Budgets {
  const { config, db, log } = context;
  const inPostgres = postgresBudgets(db);
  const inRedis =
    config.redisUrl === null
      ? null
      : redisBudgets({
          redisUrl: config.redisUrl,
          log,
          insurance: inPostgres,
          note: (notes) => noteBudgetUsage(db, notes),
        });
  const forgetting = setInterval(() => {
    forgetOldBudgets(db).catch((error: unknown) => log.warn({ err: error }, "old budgets kept"));
  }, FORGET_EVERY_MS);
  const { take, giveBack } = createBudgets(context, {
    short: inRedis ?? inPostgres,
    long: inPostgres,
  });
  return {
    take,
    giveBack,
    async stop() {
      clearInterval(forgetting);
      await inRedis?.stop();
    },
  };
}

/**
 * Sets aside a few crossings of each budget at a time, so that most are given without asking anybody. One question a budget is
 * under way at once.
 */
export function createBudgets(
  { now, config }: Pick<Context, "now" | "config">,
  stores: BudgetStores,
): Omit<Budgets, "stop"> {
  const pockets = new Map<string, Pocket>();

  function pocketOf(key: string, { bucketAt }: BudgetWindow): Pocket {
    const known = pockets.get(key);
    if (known?.bucketAtMs === bucketAt.getTime()) return known;
    const pocket = { bucketAtMs: bucketAt.getTime(), left: 0, filling: null };
    pockets.set(key, pocket);
    return pocket;
  }
  async function fill(
    pocket: Pocket,
    key: string,
    budget: Budget,
    window: BudgetWindow,
  ): Promise<Date | null> {
    const store = isQuota(budget) ? stores.long : stores.short;
    const wish = { ...window, key, limit: budget.limit, count: portionOf(budget) };
    const { granted, oldest } = await store.take(wish);
    pocket.left += granted;
    return granted > 0 ? null : renewedAt(budget, window, oldest);
  }
  async function takeOne(key: string, budget: Budget): Promise<Date | null> {
    const window = windowOf(budget, now());
    const pocket = pocketOf(key, window);
    while (pocket.left === 0) {
      pocket.filling ??= fill(pocket, key, budget, window).finally(() => {
        pocket.filling = null;
      });
      const until = await pocket.filling;
      if (until && pocket.left === 0) return until;
    }
    pocket.left -= 1;
    return null;
  }
  function giveBackTo(delivery: Customer, budgets: readonly Budget[]): void {
    for (const budget of budgets) {
      const pocket = pocketOf(keyOf(delivery, budget), windowOf(budget, now()));
      pocket.left += 1;
    }
  }

  return {
    async take(delivery) {
      if (!config.countsBudgets) return null;
      const { budgets } = delivery.capabilities;
      for (const [index, budget] of budgets.entries()) {
        const until = await takeOne(keyOf(delivery, budget), budget);
        if (until) {
          giveBackTo(delivery, budgets.slice(0, index));
          return { scope: budget.scope, until };
        }
      }
      return null;
    },
    giveBack(delivery) {
      if (config.countsBudgets) giveBackTo(delivery, delivery.capabilities.budgets);
    },
  };
}

/** An app is known to each server of a platform by itself. */
function keyOf({ platform, host, channelId }: Customer, { scope, perMs }: Budget): string {
  const whose = scope === "app" ? `app/${platform}/${host ?? ""}` : `channel/${channelId}`;
  return `${whose}/${perMs}`;
}
