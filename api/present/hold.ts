import type { HoldView } from "../../shared/contract/hold.ts";
import type { HoldScope } from "../../shared/domain/hold.ts";
import type { HoldReport } from "../../shared/queries/holds.ts";

export function presentHold(report: HoldReport): HoldView {
  const { hold, isActive, held, alreadySending, isConfirmed } = report;
  return {
    id: hold.id,
    scope: presentScope(hold.scope),
    reason: hold.reason,
    fence: hold.fence,
    active: isActive,
    startedAt: hold.startedAt.toISOString(),
    endsAt: hold.endsAt?.toISOString() ?? null,
    endedAt: hold.endedAt?.toISOString() ?? null,
    held,
    alreadySending: alreadySending.map(({ id, postId, channelId, state, permalink }) => {
      return { deliveryId: id, postId, channelId, state, permalink };
    }),
    confirmed: isConfirmed,
  };
}

function presentScope(scope: HoldScope): HoldView["scope"] {
  return scope.kind === "channels" ? { ...scope, channelIds: [...scope.channelIds] } : scope;
}
