import { setTimeout as delay } from "node:timers/promises";
import { reconnect } from "./cast.ts";
import type { Scene, Stop } from "./scene.ts";
import type { Line } from "./script.ts";

/** What a person had to do, and with what. */
export interface PersonWork {
  /** Deliveries that are left as they are, because the person has done what can be done. */
  readonly givenUp: Set<string>;
  readonly retried: Map<string, string>;
  readonly resolved: Map<string, "published" | "send_again">;
  readonly reconnected: string[];
  /** Requests that made no sense to the API. */
  readonly complaints: string[];
}

interface Waiting {
  readonly id: string;
  readonly state: string;
  readonly kind: string | null;
  readonly channelId: string;
  readonly needsAttention: boolean;
  readonly receipts: number;
}

export function createPersonWork(): PersonWork {
  return {
    givenUp: new Set(),
    retried: new Map(),
    resolved: new Map(),
    reconnected: [],
    complaints: [],
  };
}

const LOOK_EVERY_MS = 700;
const TOGETHER = 8;

// oxlint-disable-next-line unicorn/no-thenable -- a word of the public contract, and never a function
const NOT_THERE = { outcome: "not_published", then: "send_again" };

/** Plays the person to whom Postwell turns, until told to stop. */
export async function playPerson(
  scene: Scene,
  work: PersonWork,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    for (const channelId of await endedSignIns(scene).catch(() => [])) {
      await signInAgain(scene, work, channelId);
    }
    const waiting = await waitingFor(scene).catch(() => []);
    const open = waiting.filter((one) => mayBeHelped(scene, work, one));
    while (open.length > 0 && !signal.aborted) {
      await Promise.all(open.splice(0, TOGETHER).map((one) => help(scene, work, one)));
    }
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Those of a channel that had to be signed in again have their turn at the next look. */
function mayBeHelped(scene: Scene, work: PersonWork, one: Waiting): boolean {
  const isStopped = scene.stops.some((stop) => isActiveOn(scene, stop, one.channelId));
  return !one.needsAttention && !isStopped && !work.givenUp.has(one.id);
}

/** While a hold is on, a person waits for its end. */
function isActiveOn({ cast }: Scene, { channel, endedAt }: Stop, channelId: string): boolean {
  return endedAt === Infinity && cast.channels[channel]?.id === channelId;
}

async function endedSignIns({ stage }: Scene): Promise<string[]> {
  const rows = await stage.database.tryRows<{ id: string }>(
    "select id from channels where state = 'needs_attention'",
  );
  return rows.map(({ id }) => id);
}

async function waitingFor({ stage }: Scene): Promise<Waiting[]> {
  return stage.database.tryRows<Waiting & Record<string, unknown>>(
    `select d.id, d.state, d.error ->> 'kind' as kind, d.channel_id as "channelId",
            c.state = 'needs_attention' as "needsAttention",
            (select count(*)::int from receipts r where r.delivery_id = d.id) as receipts
       from deliveries d join channels c on c.id = d.channel_id
      where (d.next_at is null and d.state in ('unknown', 'partial', 'failed', 'missed', 'held', 'expired'))
         or (d.next_at <= clock() and c.state = 'needs_attention')
      order by d.due_at limit 200`,
  );
}

async function help(scene: Scene, work: PersonWork, one: Waiting): Promise<void> {
  if (one.state === "unknown") return lookAndSay(scene, work, one);
  const before = work.retried.get(one.id);
  if (before !== undefined && one.state !== "held") {
    work.givenUp.add(one.id);
    return;
  }
  const path = `/api/v1/deliveries/${one.id}/retry`;
  const { wish, answer } = await scene.stage.api.wish("POST", path, { at: "now" });
  if (wish === "done") work.retried.set(one.id, one.kind ?? one.state);
  // Moved on in the meantime is no mistake.
  else if (wish === "refused" && answer.status !== 409) complain(work, path, answer.status);
}

async function signInAgain(scene: Scene, work: PersonWork, channelId: string): Promise<void> {
  const channel = scene.cast.channels.find(({ id }) => id === channelId);
  if (channel && (await reconnect(scene.stage, channel))) work.reconnected.push(channelId);
}

/** Looks on the platform first, as the API asks for. */
async function lookAndSay({ stage, lines }: Scene, work: PersonWork, one: Waiting): Promise<void> {
  const line = [...lines.values()].find(({ deliveryId }) => deliveryId === one.id);
  if (!line) return;
  const [seen] = await stage.platforms.find(textsAt(line, one.receipts));
  const path = `/api/v1/deliveries/${one.id}/resolve`;
  const finding = seen
    ? {
        outcome: "published",
        permalink: `https://drill.example/${encodeURIComponent(seen.remoteId)}`,
        remoteId: seen.remoteId,
      }
    : NOT_THERE;
  const { wish, answer } = await stage.api.wish("POST", path, finding);
  if (wish === "done") work.resolved.set(one.id, seen ? "published" : "send_again");
  else if (wish === "refused" && answer.status !== 409) complain(work, path, answer.status);
}

function textsAt({ planned, changed }: Line, part: number): string[] {
  return [planned.texts[part], changed?.texts[part]].flatMap((text) => text ?? []);
}

function complain({ complaints }: PersonWork, path: string, status: number): void {
  complaints.push(`A person asked for ${path} and got ${status}.`);
}
