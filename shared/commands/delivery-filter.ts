import { type RawBuilder, sql } from "kysely";
import type { DeliveryState } from "../domain/delivery.ts";

/** Most deliveries that one request changes. */
export const AT_ONCE = 1_000;

/** Which deliveries are meant: all that match every condition which is not undefined. */
export interface DeliveryFilter {
  readonly ids?: readonly string[] | undefined;
  readonly states?: readonly DeliveryState[] | undefined;
  readonly channelId?: string | undefined;
  readonly kind?: string | undefined;
  /** Due at this instant or later, UTC. */
  readonly from?: Date | undefined;
  /** Due before this instant, UTC. */
  readonly to?: Date | undefined;
}

/** Over `d`, the deliveries of a workspace in one of these states. */
export function matching(
  workspaceId: string,
  filter: DeliveryFilter,
  states: readonly DeliveryState[],
): RawBuilder<unknown> {
  const conditions = [
    sql`d.workspace_id = ${workspaceId}`,
    sql`d.state = any(${states})`,
    filter.ids && sql`d.id = any(${filter.ids}::uuid[])`,
    filter.channelId && sql`d.channel_id = ${filter.channelId}`,
    filter.kind && sql`d.error ->> 'kind' = ${filter.kind}`,
    filter.from && sql`d.due_at >= ${filter.from}`,
    filter.to && sql`d.due_at < ${filter.to}`,
  ];
  return sql.join(
    conditions.flatMap((condition) => (typeof condition === "object" ? [condition] : [])),
    sql` and `,
  );
}
