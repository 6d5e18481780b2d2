import { parseEngagementSchedule } from "../../shared/domain/engagement-schedule.ts";
import { DeliveryView } from "../../shared/contract/delivery.ts";
import { DeliveryEngagementView } from "../../shared/contract/engagement.ts";
import type { SimulatedPost } from "../../shared/connectors/simulator.ts";
import { audit, type CheckedDelivery, type Finding } from "./audit.ts";
import { CHANNELS } from "./channels.ts";
import type { Plan, PlannedDelivery } from "./plan.ts";
import { tableOf, type Column } from "./report.ts";
import { isChangedBy, SCENES } from "./scenes.ts";
import type { Company } from "./scene-player.ts";
import { deliveryKey } from "./set-the-stage.ts";
import { READ_BACKS, type SeenPart } from "./stories.ts";
import { totalsOf } from "./totals.ts";

/** How it all ended: what the API says, held against the plan and against what the platforms saw. */
export interface Stock {
  /** Those that wait for a person. */
  readonly waiting: readonly CheckedDelivery[];
  readonly findings: readonly Finding[];
  readonly table: string;
  readonly seenPartsOf: (checked: CheckedDelivery) => readonly SeenPart[];
}

/** Requests under way at the same time. */
const AT_ONCE = 8;

/** Reads every delivery through the API and checks it. */
export async function takeStock(
  company: Company,
  plan: Plan,
  engagementAfter: string,
): Promise<Stock> {
  const readings = parseEngagementSchedule(engagementAfter).length;
  const checked: CheckedDelivery[] = [];
  for (let start = 0; start < plan.deliveries.length; start += AT_ONCE) {
    const some = plan.deliveries.slice(start, start + AT_ONCE);
    checked.push(
      ...(await Promise.all(some.map((planned) => accountOf(company, planned, readings)))),
    );
  }
  const seen = new Map(
    CHANNELS.map(({ name, platform }) => [name, company.simulators.of(platform).posts()]),
  );
  const findings = audit(checked, seen);
  return {
    waiting: checked.filter(isWaiting),
    findings,
    table: tableOf(columnsOf(company, checked, findings), company.screen.paint),
    seenPartsOf: ({ planned }) => seenParts(planned, seen.get(planned.channel) ?? []),
  };
}

async function accountOf(
  { api, stage, simulators }: Company,
  planned: PlannedDelivery,
  readings: number,
): Promise<CheckedDelivery> {
  const id = stage.deliveryIds.get(deliveryKey(planned));
  const isChanged = SCENES.some(
    (scene) => isChangedBy(scene) && deliveryKey(scene) === deliveryKey(planned),
  );
  const none = { snapshots: 0, snapshotsDue: 0, readBacksDue: 0 };
  if (id === undefined) return { planned, delivery: null, ...none, isChanged };
  const [delivery, { snapshots }] = await Promise.all([
    api.get(`/deliveries/${id}`, DeliveryView),
    api.get(`/deliveries/${id}/engagement`, DeliveryEngagementView),
  ]);
  const connector = simulators.connectors.get(delivery.platform);
  return {
    planned,
    delivery,
    snapshots: snapshots.length,
    snapshotsDue: connector?.readEngagement ? readings : 0,
    readBacksDue: connector?.readBack ? READ_BACKS : 0,
    isChanged,
  };
}

function isWaiting({ delivery }: CheckedDelivery): boolean {
  return delivery !== null && delivery.error !== null && delivery.nextAt === null;
}

function columnsOf(
  { simulators }: Company,
  checked: readonly CheckedDelivery[],
  findings: readonly Finding[],
): Column[] {
  const troubled = new Set(SCENES.map(deliveryKey));
  const isTroubled = ({ planned }: CheckedDelivery) => troubled.has(deliveryKey(planned));
  const channels = CHANNELS.map(({ name, platform }) => ({
    title: simulators.connectors.get(platform)?.name ?? platform,
    totals: totalsOf(
      checked.filter(({ planned }) => planned.channel === name),
      findings.filter(({ channel }) => channel === name),
      isTroubled,
    ),
  }));
  return [...channels, { title: "all", totals: totalsOf(checked, findings, isTroubled) }];
}

function seenParts(planned: PlannedDelivery, posts: readonly SimulatedPost[]): SeenPart[] {
  return posts.flatMap(({ text, remoteId, at }) => {
    const part = planned.parts.findIndex((one) => one.text === text);
    return part < 0 ? [] : [{ part, remoteId, at }];
  });
}
