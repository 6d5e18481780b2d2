import { ChannelView } from "../../shared/contract/channel.ts";
import { DeliveryView } from "../../shared/contract/delivery.ts";
import { DeliveryEngagementView } from "../../shared/contract/engagement.ts";
import type { ApiClient } from "./api-client.ts";
import { ACCOUNT } from "./channels.ts";
import { momentOf } from "./moment.ts";
import type { PlannedDelivery } from "./plan.ts";
import type { DemoProcesses } from "./processes.ts";
import type { Scene } from "./scenes.ts";
import type { Screen } from "./screen.ts";
import { deliveryKey, type Stage } from "./set-the-stage.ts";
import type { Simulators } from "./simulators.ts";
import { isSettled, outcomeOf, READ_BACKS, readBackOf, readingOf } from "./stories.ts";

/** Plays the troubles, each at its time, and tells how they ended. */
export interface ScenePlayer {
  /** When the next one is due; null when all have been played. */
  nextAt(): Date | null;
  /** Plays what is due. */
  play(now: Date): Promise<void>;
  /** Tells what has ended since; to be asked when nobody is at work. */
  tell(): Promise<void>;
  /** The scene during which a worker must die, until it has. */
  readonly deadly: () => PlayedScene | null;
  /** Called once the worker is dead. */
  buried(): void;
}

export interface PlayedScene extends Scene {
  readonly at: Date;
  readonly platform: string;
  readonly channelId: string;
  readonly deliveryId: string;
  readonly firstText: string;
}

export interface Company {
  readonly api: ApiClient;
  readonly simulators: Simulators;
  readonly stage: Stage;
  readonly screen: Screen;
  readonly processes: DemoProcesses;
}

export function createScenePlayer(
  company: Company,
  scenes: readonly Scene[],
  deliveries: readonly PlannedDelivery[],
): ScenePlayer {
  const { screen } = company;
  const waiting = scenes
    .map((scene) => withFacts(scene, deliveries, company.stage))
    .sort((a, b) => a.at.getTime() - b.at.getTime());
  let open: PlayedScene[] = [];
  let deadly: PlayedScene | null = null;
  return {
    nextAt: () => waiting[0]?.at ?? null,
    async play(now) {
      for (let next = waiting[0]; next && next.at <= now; next = waiting[0]) {
        waiting.shift();
        const { name = next.platform } = company.simulators.connectors.get(next.platform) ?? {};
        screen.say(`  ${momentOf(next.at)}  ${screen.paint.bold(name)} ${next.says}`);
        await cause(company, next);
        if (next.trouble.kind === "kill_worker") deadly = next;
        if (next.tells !== "nothing") open.push(next);
      }
    },
    async tell() {
      const ends = await Promise.all(
        open.map(async (scene) => ({ scene, end: await endOf(company, scene) })),
      );
      for (const { end } of ends) if (end !== null) screen.say(screen.paint.dim(`${INDENT}${end}`));
      open = ends.filter(({ end }) => end === null).map(({ scene }) => scene);
    },
    deadly: () => deadly,
    buried() {
      deadly = null;
    },
  };
}

const INDENT = "      → ";

function withFacts(
  scene: Scene,
  deliveries: readonly PlannedDelivery[],
  stage: Stage,
): PlayedScene {
  const planned = deliveries.find(
    ({ post, channel }) => post === scene.post && channel === scene.channel,
  );
  const channel = stage.channels.get(scene.channel);
  const deliveryId = stage.deliveryIds.get(deliveryKey(scene));
  if (!planned || !channel || deliveryId === undefined) {
    throw new Error(`The plan has no ${scene.post} on ${scene.channel}, which a scene needs.`);
  }
  return {
    ...scene,
    at: new Date(planned.dueAt.getTime() + scene.minutes * 60_000),
    platform: channel.platform,
    channelId: channel.id,
    deliveryId,
    firstText: planned.parts[0]?.text ?? "",
  };
}

async function cause({ api, simulators }: Company, scene: PlayedScene): Promise<void> {
  const simulator = simulators.of(scene.platform);
  const { trouble } = scene;
  switch (trouble.kind) {
    case "faults":
      for (const fault of trouble.faults) simulator.fault(fault, 1);
      return;
    case "kill_worker":
      return simulator.fault("commit_hang_after_success", 1);
    case "sign_out":
      return simulator.expireTokens(ACCOUNT, { forGood: trouble.forGood });
    case "sign_in": {
      const credentials = simulator.account(ACCOUNT);
      await api.patch(`/channels/${scene.channelId}`, { credentials }, ChannelView);
    }
  }
}

/** Null while it has not ended. */
async function endOf(
  { api, stage, simulators }: Company,
  scene: PlayedScene,
): Promise<string | null> {
  const { deliveryId, channel, tells } = scene;
  if (tells === "read_back") {
    const delivery = await api.get(`/deliveries/${deliveryId}`, DeliveryView);
    return delivery.readBacks.length < READ_BACKS ? null : readBackOf(delivery);
  }
  if (tells === "outcome") {
    const delivery = await api.get(`/deliveries/${deliveryId}`, DeliveryView);
    const posts = simulators.of(scene.platform).posts();
    const copies = posts.filter(({ text }) => text === scene.firstText).length;
    return isSettled(delivery) ? outcomeOf(delivery, copies) : null;
  }
  const { snapshots } = await api.get(
    `/deliveries/${deliveryId}/engagement`,
    DeliveryEngagementView,
  );
  const metrics = stage.channels.get(channel)?.capabilities.engagement.metrics ?? [];
  const [first] = snapshots;
  return first ? readingOf(first.metrics, metrics) : null;
}
