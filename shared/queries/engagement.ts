import { sql } from "kysely";
import type { Db } from "../db/client.ts";
import type { FailureKind } from "../domain/failure.ts";

interface ListedSnapshot {
  readonly takenAt: Date;
  readonly metrics: Readonly<Partial<Record<string, number>>>;
}

/** What was read of one delivery. */
export interface Readings {
  /** Oldest first. */
  readonly snapshots: readonly ListedSnapshot[];
  /** Why the last reading failed for this post alone; null where it did not. */
  readonly error: FailureKind | null;
}

/** Null where there is no such delivery. */
export async function readingsOf(
  db: Db,
  workspaceId: string,
  deliveryId: string,
): Promise<Readings | null> {
  const delivery = await db
    .selectFrom("deliveries")
    .select("engagementError as error")
    .where("workspaceId", "=", workspaceId)
    .where("id", "=", deliveryId)
    .executeTakeFirst();
  if (!delivery) return null;
  const snapshots = await db
    .selectFrom("snapshots")
    .select(["takenAt", "metrics"])
    .where("deliveryId", "=", deliveryId)
    .orderBy("takenAt")
    .execute();
  return { snapshots, error: delivery.error };
}

/** By what engagement is summed, and where the key comes from. */
const KEYS = {
  channel: sql`d.channel_id::text`,
  platform: sql`d.platform`,
  campaign: sql`p.campaign`,
  label: sql`l.label`,
  post: sql`d.post_id::text`,
};

export type EngagementGroup = keyof typeof KEYS;

export interface EngagementSum {
  /** Null for posts without a campaign or label. */
  readonly key: string | null;
  /** Published deliveries, measured or not. */
  readonly deliveries: number;
  readonly measured: number;
  /** A metric that nobody reported is absent. */
  readonly metrics: Readonly<Record<string, number>>;
}

/**
 * Sums the newest reading of every delivery that was published in a span of time. A post with two labels counts under both.
 * @param span instants with an offset; the second one is not included; null for no end
 */
export async function sumEngagement(
  db: Db,
  workspaceId: string,
  groupBy: EngagementGroup,
  span: { readonly from: string | null; readonly to: string | null },
): Promise<readonly EngagementSum[]> {
  const labels =
    groupBy === "label" ? sql`left join lateral unnest(p.labels) as l(label) on true` : sql``;
  const { rows } = await sql<EngagementSum>`
    with published as (
      select ${KEYS[groupBy]} as key, d.id, s.metrics
        from deliveries d join posts p on p.id = d.post_id ${labels}
        left join lateral (select metrics from snapshots where delivery_id = d.id
                            order by taken_at desc limit 1) s on true
       where d.workspace_id = ${workspaceId} and d.published_at is not null
         and (${span.from}::timestamptz is null or d.published_at >= ${span.from}::timestamptz)
         and (${span.to}::timestamptz is null or d.published_at < ${span.to}::timestamptz)),
    summed as (
      select key, m.name, sum(m.value::numeric)::float8 as total
        from published cross join lateral jsonb_each_text(metrics) as m(name, value)
       where metrics is not null group by key, m.name)
    select p.key, count(*)::int as deliveries, count(p.metrics)::int as measured,
           coalesce((select jsonb_object_agg(s.name, s.total) from summed s
                      where s.key is not distinct from p.key), '{}') as metrics
      from published p group by p.key order by p.key nulls last`.execute(db);
  return rows;
}
